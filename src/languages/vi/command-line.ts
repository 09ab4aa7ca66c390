import type { Sentences } from "../translate.js";

/** What is wrong with a command line, in the library's words; headings of the help. */
export const commandLine: Sentences = {
  "error: unknown option '{0}'": "lỗi: không có tùy chọn '{0}'",
  "error: unknown option '{0}'\n(Did you mean {1}?)": "lỗi: không có tùy chọn '{0}'\n(Có phải là {1}?)",
  "error: unknown option '{0}'\n(Did you mean one of {1}?)": "lỗi: không có tùy chọn '{0}'\n(Có phải là một trong {1}?)",
  "error: unknown command '{0}'": "lỗi: không có lệnh '{0}'",
  "error: unknown command '{0}'\n(Did you mean {1}?)": "lỗi: không có lệnh '{0}'\n(Có phải là {1}?)",
  "error: unknown command '{0}'\n(Did you mean one of {1}?)": "lỗi: không có lệnh '{0}'\n(Có phải là một trong {1}?)",
  "error: missing required argument '{0}'": "lỗi: thiếu đối số bắt buộc '{0}'",
  "error: option '{0}' argument missing": "lỗi: tùy chọn '{0}' thiếu giá trị",
  "error: required option '{0}' not specified": "lỗi: thiếu tùy chọn bắt buộc '{0}'",
  "error: option '{0}' argument '{1}' is invalid. {2}": "lỗi: giá trị '{1}' của tùy chọn '{0}' không hợp lệ. {2!}",
  "error: command-argument value '{0}' is invalid for argument '{1}'. {2}": "lỗi: giá trị '{0}' không hợp lệ cho đối số '{1}'. {2!}",
  "Allowed choices are {0}.": "Chỉ được chọn {0}.",
  "error: too many arguments. Expected {0} arguments but got {1}.": "lỗi: quá nhiều đối số. Cần {0} đối số nhưng có {1}.",
  "error: too many arguments. Expected 1 argument but got {0}.": "lỗi: quá nhiều đối số. Cần 1 đối số nhưng có {0}.",
  "error: too many arguments for '{0}'. Expected {1} arguments but got {2}.":
    "lỗi: quá nhiều đối số cho '{0}'. Cần {1} đối số nhưng có {2}.",
  "error: too many arguments for '{0}'. Expected 1 argument but got {1}.": "lỗi: quá nhiều đối số cho '{0}'. Cần 1 đối số nhưng có {1}.",
  "Usage:": "Cách dùng:",
  "Options:": "Tùy chọn:",
  "Arguments:": "Đối số:",
  "Commands:": "Lệnh:",
};
