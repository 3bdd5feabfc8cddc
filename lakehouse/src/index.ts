export { tables } from "./tables.ts"
export { rulesDirectory } from "./rules.ts"
