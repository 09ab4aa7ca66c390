import { localHid } from "../hid-device.js";
import { serveHid } from "./serve-hid.js";

serveHid(localHid);
