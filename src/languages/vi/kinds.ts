import type { Sentences } from "../translate.js";

/** The hints of the closed list of errors. */
export const kinds: Sentences = {
  "Send one JSON-RPC 2.0 request object per text frame": "Mỗi khung văn bản chỉ gửi một đối tượng yêu cầu JSON-RPC 2.0",
  "See docs/protocol.md for the methods of this version": "Xem các phương thức của phiên bản này trong docs/protocol.md",
  "Correct the field that the message names": "Sửa trường mà thông báo nêu tên",
  "A fault of the agent: send the log of this moment to its developers": "Lỗi của agent: gửi log của lúc này cho nhà phát triển",
  "Send a valid token in session.hello": "Gửi token hợp lệ trong session.hello",
  "This role may not call this method": "Vai trò này không được gọi phương thức này",
  "Use a client of the protocol version that the agent lists": "Dùng client có phiên bản giao thức mà agent liệt kê",
  "Name a device that devices.list shows": "Nêu tên một thiết bị mà devices.list hiện ra",
  "No job has this key: it was never accepted, or is older than the journal keeps":
    "Không lệnh nào có khóa này: chưa từng được nhận, hoặc đã quá thời hạn lưu trong nhật ký",
  "The device or its driver cannot do this: see devices.capabilities":
    "Thiết bị hoặc driver của nó không làm được việc này: xem devices.capabilities",
  "Another session holds the device: wait, or release its claim": "Phiên khác đang giữ thiết bị: hãy chờ, hoặc bỏ quyền giữ của nó",
  "The station is out of service: end maintenance mode first": "Trạm đang ngừng phục vụ: hãy tắt chế độ bảo trì trước",
  "Nothing happened within timeoutMs: check the device, or allow more time":
    "Không có gì xảy ra trong timeoutMs: kiểm tra thiết bị, hoặc cho chờ lâu hơn",
  "Send less: the limits are in the answer to session.hello": "Gửi ít hơn: các giới hạn có trong câu trả lời của session.hello",
  "Too many requests at once: wait for answers before sending more": "Quá nhiều yêu cầu cùng lúc: chờ trả lời rồi hãy gửi tiếp",
  "This key was used for another request: take a new key": "Khóa này đã dùng cho yêu cầu khác: lấy khóa mới",
  "Check the cable and the power of the device": "Kiểm tra cáp và nguồn của thiết bị",
  "Switch the device off and on; if it stays, replace it": "Tắt rồi bật lại thiết bị; nếu vẫn vậy thì thay thiết bị",
  "Load paper and close the cover": "Lắp giấy và đóng nắp",
  "Close the cover": "Đóng nắp",
  "Open the cover, clear the paper at the cutter and close the cover": "Mở nắp, gỡ giấy kẹt ở dao cắt rồi đóng nắp",
  "Lay the card on the reader": "Đặt thẻ lên đầu đọc",
  "Leave the card on the reader until it is read": "Để yên thẻ trên đầu đọc đến khi đọc xong",
  "This is not a chip ID card": "Đây không phải thẻ căn cước gắn chip",
  "This card opens only with its document number, birth date and expiry date":
    "Thẻ này chỉ mở được bằng số thẻ, ngày sinh và ngày hết hạn của nó",
  "The access key does not fit this card: scan the code of this very card":
    "Khóa truy cập không hợp với thẻ này: hãy quét mã của đúng thẻ này",
  "Clean the card, lay it flat and read again": "Lau sạch thẻ, đặt phẳng rồi đọc lại",
  "Lay a page on the glass": "Đặt một trang lên mặt kính",
  "Put the pages into the feeder": "Đặt giấy vào khay nạp",
  "Open the feeder and remove the jammed page": "Mở khay nạp và lấy tờ bị kẹt ra",
  "The payment terminal is doing something else: wait until it is idle": "Máy thanh toán đang làm việc khác: chờ đến khi nó rảnh",
  "An earlier payment is unresolved: resolve it before a new sale": "Một giao dịch trước chưa ngã ngũ: giải quyết nó trước khi bán tiếp",
  "Check the camera's cable": "Kiểm tra cáp của camera",
  "More light, a steady hand, and look at the camera": "Thêm ánh sáng, giữ yên, và nhìn vào camera",
  "The journal cannot be written: check disk space and the state folder":
    "Không ghi được nhật ký giao dịch: kiểm tra chỗ trống trên đĩa và thư mục trạng thái",
  "The agent is stopping: reconnect in a moment": "Agent đang dừng: kết nối lại sau giây lát",
  "two reads at once on one link": "hai lần đọc cùng lúc trên một đường nối",
};
