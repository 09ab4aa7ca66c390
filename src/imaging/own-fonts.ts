/** For processes that draw: what they draw with is ours, and @napi-rs/canvas would read all of a system's fonts first. */
export const OWN_FONTS_ONLY = { DISABLE_SYSTEM_FONTS_LOAD: "1" };
