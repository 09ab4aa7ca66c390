module.exports = function getPixels() {
  throw new Error("escpos must not load images: rasters are drawn by stationd itself");
};
