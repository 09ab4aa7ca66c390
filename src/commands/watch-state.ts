export { createDashboard, type Dashboard, type WatchedDevice, type WatchUpdate } from "../technician/dashboard.js";
