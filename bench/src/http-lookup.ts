/**
 * `bun bench/src/http-lookup.ts [URL]`: lookups over HTTP at 200 ms with 1,000 at a time, a call each, without an engine.
 *
 * Without a URL it starts the mock bureau in this process; its cost is then in the figures. Prints calls a second and CPU.
 */
import { openHttpLookup } from "@frazil/connect"
import { bureauFailures, BureauWire } from "@frazil/flows"
import { serveBureau } from "@frazil/sim"
import { Effect } from "effect"

const capacity = 1_000
const calls = 30_000
const delay = { delayMsMin: 200, delayMsMax: 200 }

const program = Effect.gen(function* () {
  const given = process.argv[2]
  const url = given ?? (yield* serveBureau({ port: 0, seed: 1, behaviour: delay })).address
  const { lookup } = yield* openHttpLookup({
    name: "bureau",
    connection: { kind: "http", url },
    path: "/v1/score",
    request: (ssn: string) => ({ ssn }),
    wire: BureauWire,
    answer: (wire, ssn) => (wire.ssn === ssn ? { score: wire.score } : undefined),
    failures: bureauFailures
  })
  const numbers = Array.from({ length: calls }, (_, n) => String(100_000_000 + n))
  // sockets are opened first
  yield* Effect.forEach(numbers.slice(0, capacity), lookup, { concurrency: capacity, discard: true })
  const cpu = process.cpuUsage()
  const started = performance.now()
  yield* Effect.forEach(numbers, lookup, { concurrency: capacity, discard: true })
  const seconds = (performance.now() - started) / 1_000
  const { system, user } = process.cpuUsage(cpu)
  console.log(
    `${Math.round(calls / seconds)} calls/s of ${capacity * 5} possible, ${((system + user) / calls).toFixed(1)} us of CPU each${given === undefined ? ", the bureau's own included" : ""}`
  )
})

await Effect.runPromise(Effect.scoped(program))
