import { DeviceError } from "../kernel/errors.js";
import { absent } from "./wire.js";

/** Why a camera's program ended or its device could not be opened, read from what was said: ffmpeg and fswebcam quote strerror. */
export function cameraFailure(description: string, said: string, cause?: unknown): DeviceError {
  if (/failed to execute|spawn \S+ ENOENT|(ffmpeg|fswebcam): (command )?not found/i.test(said)) {
    return new DeviceError("device_absent", {
      message: `${description}: the program that reads cameras is missing`,
      hint: "Install ffmpeg (for the driver node-webcam: fswebcam)",
      cause,
    });
  }
  if (/EBUSY|resource busy|device busy/i.test(said)) {
    return new DeviceError("busy", {
      message: `${description} is in use`,
      hint: "Another program holds the camera: a browser, a video call or a second agent",
      cause,
    });
  }
  if (/EACCES|EPERM|permission denied|not permitted/i.test(said)) {
    return new DeviceError("device_fault", {
      message: `${description} may not be opened`,
      hint: "Put the agent's user into the group `video`, or install the udev rules",
      cause,
    });
  }
  if (/ENOENT|ENODEV|ENXIO|EIO|no such (file|device)|(input\/output|i\/o) error/i.test(said)) {
    return absent(`${description} is not there`, cause);
  }
  if (/invalid argument|not support|inappropriate ioctl|cannot find/i.test(said)) {
    return new DeviceError("device_fault", {
      message: `${description} does not give what it is asked for`,
      hint: "Correct inputFormat, widthPx, heightPx and framesPerSecond of the link: `v4l2-ctl --list-formats-ext` shows what the camera has",
      cause,
    });
  }
  return absent(`${description} ended`, cause);
}
