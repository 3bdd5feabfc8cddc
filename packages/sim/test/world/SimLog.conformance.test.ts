/**
 * The simulated log passes the log conformance suite: what runs on it would run on the others.
 */
import { Log } from "@frazil/engine"
import { Effect, Layer } from "effect"
import { logConformance } from "../../../connect/test/log/LogConformance.ts"
import { LogState } from "../../src/world/log/LogState.ts"
import { makeSimLog } from "../../src/world/log/SimLog.ts"

logConformance(
  "simulated log",
  Effect.sync(() => {
    const state = new LogState()
    return Layer.sync(Log, () => makeSimLog(state))
  })
)
