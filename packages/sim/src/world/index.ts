export * as Sim from "./Sim.ts"
export type { SimOptions, SimReport } from "./Sim.ts"
export type { SimInput } from "./Scenario.ts"
export { type Fault, type FaultKind, faultKinds } from "./Fault.ts"
