export { readChip } from "./read-chip.js";
