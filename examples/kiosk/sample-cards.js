/** The codes on the simulated cards A, B and C: invented people, as the card simulator has them. */
export const SAMPLE_CARDS = [
  {
    person: "A",
    text: "001190412345|012987654|Nguyễn Thị Thử Nghiệm|17051990|Nữ|Số 12, Phố Thử, Phường Mẫu, Hà Nội|01062021",
  },
  {
    person: "B",
    text: "079205098765||Đặng Quốc Mẫu|30112005|Nam|Căn hộ 3.14, Đường Thử Nghiệm, Thành phố Hồ Chí Minh|15012022",
  },
  { person: "C", text: "048048000321|200123456|Trần Văn Vô Hạn|03021948|Nam|Thôn Ví Dụ, Xã Thử, Đà Nẵng|09092021" },
];
