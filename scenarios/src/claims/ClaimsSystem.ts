/** Claims as a person runs them: PostgreSQL with made-up claims, the pipeline, and payments that keep coming. */
import { execFileSync } from "node:child_process"
import { postgresServer, type Server } from "@frazil/sim/servers"
import { Effect, type Scope } from "effect"
import { type Folder, makeFolder } from "../Folder.ts"
import { type AppProcess, runApp, startApp } from "../Process.ts"
import { type Finding, found } from "../Scenario.ts"
import { countTopic, readTopic, type Value } from "../Topics.ts"

const port = 5571
const lookEveryMs = 100
const drainMsMax = 180_000

/** The server and the processes that serve its connections. */
const processesOf = (pid: number): ReadonlyArray<number> => [
  pid,
  ...execFileSync("pgrep", ["-P", String(pid)], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line !== "")
    .map(Number)
]

export const signalAll = (server: Server, signal: NodeJS.Signals): Effect.Effect<void> =>
  Effect.sync(() => {
    for (const pid of processesOf(server.pid)) process.kill(pid, signal)
  })

export interface ClaimsSystem {
  readonly folder: Folder
  readonly server: Server
  readonly pipeline: AppProcess
  /** Payments a second, from now on. */
  readonly pay: (rate: number, ...options: ReadonlyArray<string>) => Effect.Effect<AppProcess, never, Scope.Scope>
  /** A figure of the lookup, such as `calls_total`; 0 before there is one. */
  readonly lookup: (name: string) => Effect.Effect<number>
  /** That 95 % of the lookup's calls stayed within. */
  readonly p95Seconds: Effect.Effect<number>
  /** Waits until a figure is as wanted. Dies when that takes too long. */
  readonly until: (name: string, wanted: (value: number) => boolean) => Effect.Effect<void>
  /** Waits until every payment has come out. */
  readonly drained: Effect.Effect<void, unknown>
  /** The same, and stops the pipeline as a person does. */
  readonly finish: Effect.Effect<Outcome, unknown>
}

/** Where payments came out. */
export interface Outcome {
  readonly payments: ReadonlyArray<Value>
  readonly enriched: ReadonlyArray<Value>
  readonly failed: ReadonlyArray<Value>
  /** That the pipeline ended well, and every payment came out once. */
  readonly findings: ReadonlyArray<Finding>
}

const figure = (metrics: string, name: string, label = '"claims"'): number => {
  const line = metrics.split("\n").find((each) => each.startsWith(`frazil_lookup_${name}{`) && each.includes(label))
  return Number(line?.slice(line.lastIndexOf(" ")) ?? 0)
}

const outcomeOf = Effect.fnUntraced(function* (data: string, code: number | null) {
  const [payments, enriched, failed] = [
    yield* readTopic(data, "payment-events"),
    yield* readTopic(data, "enriched-payments"),
    yield* readTopic(data, "failed-payments")
  ]
  const ids = new Set([...enriched, ...failed].map(({ payment_id }) => payment_id))
  const once = ids.size === payments.length && enriched.length + failed.length === payments.length
  return {
    payments,
    enriched,
    failed,
    findings: [
      found(code === 0, "the pipeline stops when it is asked to"),
      found(
        once && payments.every(({ payment_id }) => ids.has(payment_id)),
        `${payments.length} payments: ${enriched.length} enriched, ${failed.length} failed, each once`
      )
    ]
  } satisfies Outcome
})

/** `claims` of them are in the table; `options` are the pipeline's. */
export const startClaims = Effect.fnUntraced(function* (claims: number, ...options: ReadonlyArray<string>) {
  const folder = yield* makeFolder
  const server = yield* postgresServer(port)
  folder.connections({ claims: { kind: "postgres", url: server.url } })
  yield* runApp("cli", ["claims", "seed", "--connection", "claims", "--claims", `${claims}`], folder.path)
  const args = ["--data", folder.data, "--jobs", "claims", "--no-generator", "--port", "0", "--lake-commit-every", "2s"]
  const pipeline = yield* startApp("pipeline", [...args, ...options], folder.path)
  const address = yield* pipeline.said(/http:\/\/127\.0\.0\.1:\d+/)
  const metrics = Effect.tryPromise(async () => (await fetch(`${address}/metrics`)).text()).pipe(
    Effect.catch(() =>
      Effect.die(new Error(`the pipeline answers no more: ${pipeline.lines().slice(-20).join(" | ")}`))
    )
  )
  const lookup = (name: string) => Effect.map(metrics, (text) => figure(text, name))
  const p95Seconds = Effect.map(metrics, (text) => figure(text, "latency_seconds", 'quantile="0.95"'))
  const until = (name: string, wanted: (value: number) => boolean) =>
    Effect.gen(function* () {
      for (let waitedMs = 0; waitedMs < drainMsMax; waitedMs += lookEveryMs) {
        if (wanted(yield* lookup(name))) return
        yield* Effect.sleep(lookEveryMs)
      }
      return yield* Effect.die(new Error(`${name} is ${yield* lookup(name)} after ${drainMsMax / 1000} s`))
    })
  const pay = (rate: number, ...options: ReadonlyArray<string>) => {
    const rated = ["payments", "--data", folder.data, "--rate", `${rate}`, "--claims", `${claims}`, ...options]
    return startApp("generator", rated, folder.path)
  }
  const drained = Effect.gen(function* () {
    for (let waitedMs = 0; waitedMs < drainMsMax; waitedMs += 500) {
      const [into, enriched, failed] = [
        yield* countTopic(folder.data, "payment-events"),
        yield* countTopic(folder.data, "enriched-payments"),
        yield* countTopic(folder.data, "failed-payments")
      ]
      if (into > 0 && enriched + failed >= into) return
      yield* Effect.sleep(500)
    }
  })
  const finish = Effect.gen(function* () {
    yield* drained
    pipeline.child.kill("SIGINT")
    return yield* outcomeOf(folder.data, yield* pipeline.ended)
  })
  return { folder, server, pipeline, pay, lookup, p95Seconds, until, drained, finish } satisfies ClaimsSystem
})

/** Ends payments; whatever they were buffering is delivered. */
export const stopPaying = ({ child, ended }: AppProcess): Effect.Effect<void> =>
  Effect.suspend(() => {
    child.kill("SIGINT")
    return Effect.asVoid(ended)
  })
