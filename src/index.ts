/** An agent composed by one's own program: `stationd`. */
export { type Agent, type AgentOptions, startAgent } from "./agent.js";
export { ConfigError, describeProblems } from "./config/config-error.js";
export { loadConfig, parseConfig } from "./config/load.js";
export type { StationConfig } from "./config/types.js";
export { drivers } from "./drivers/index.js";
