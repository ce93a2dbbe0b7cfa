/** What this program calls itself, to Redis and in every event that it causes. */
export const VERSION = '0.1.0'
export const TOOL = `gatehouse/${VERSION}`
