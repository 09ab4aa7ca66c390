import type { CameraService } from "./camera-service.js";
import type { HandlerContext, HandlersOf } from "./handler-context.js";

export function cameraHandlers({ citizens, ofClass }: HandlerContext, cameras: CameraService): HandlersOf<"camera"> {
  return {
    "camera.snapshot": (params, call) => {
      citizens.enter(call);
      return citizens.waiting(call, (waited) => cameras.snapshot(ofClass("camera", params.device), params, waited));
    },
    "camera.startPreview": (params, call) => {
      citizens.enter(call);
      return citizens.waiting(call, (waited) => cameras.startPreview(ofClass("camera", params.device), params, waited));
    },
    "camera.stopPreview": ({ channel }, { caller }) => ({ stopped: cameras.stopPreview(channel, caller) }),
    "camera.stats": (params, call) => cameras.stats(ofClass("camera", params.device), call),
  };
}
