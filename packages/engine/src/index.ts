export * from "./log/Log.ts"
export { LogError } from "./log/LogError.ts"
