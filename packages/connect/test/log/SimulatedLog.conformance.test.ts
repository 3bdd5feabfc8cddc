/**
 * The simulated log passes the log conformance suite: what runs on it runs on the others.
 */
import { makeSimLogLayer } from "@frazil/sim/world"
import { Effect } from "effect"
import { logConformance } from "./LogConformance.ts"

logConformance("simulated log", Effect.sync(makeSimLogLayer))
