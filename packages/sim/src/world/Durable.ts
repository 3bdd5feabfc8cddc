/** Everything in the world that outlives its processes. */
import { LogState } from "./log/LogState.ts"
import { PointerState } from "./lake/PointerState.ts"
import { StorageState } from "./lake/StorageState.ts"

export interface Durable {
  readonly log: LogState
  readonly storage: StorageState
  readonly pointers: PointerState
}

export const makeDurable = (): Durable => ({
  log: new LogState(),
  storage: new StorageState(),
  pointers: new PointerState()
})
