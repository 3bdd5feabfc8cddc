/**
 * The thundering herd: many applications at once, all of strangers, against a bureau that allows so much and says so only
 * by refusing. Each is decided exactly once; memory stays bounded; what the bureau allows is used; the lag alert fires and
 * clears.
 */
import { readFileSync } from "node:fs"
import { Duration, Effect, type Scope } from "effect"
import { type Folder, makeFolder } from "../Folder.ts"
import { type AppProcess, runApp, startApp } from "../Process.ts"
import { type Finding, found, type Scale, type Scenario } from "../Scenario.ts"
import { countTopic, readTopic } from "../Topics.ts"
import { type BureauApp, startBureau, steadyInFlight, steadyRate } from "./BureauApp.ts"

const rssBytesMax = 500 * 1024 * 1024
const usedShareMin = 0.95
const herd: Readonly<Record<Scale, number>> = { full: 100_000, short: 10_000 }
const alertLag: Readonly<Record<Scale, string>> = { full: "10000", short: "1000" }

interface Application {
  readonly application_id: string
  readonly ssn: string
  readonly amount: number
}

interface Herd {
  readonly folder: Folder
  readonly bureau: BureauApp
  readonly applications: ReadonlyArray<Application>
  readonly start: Effect.Effect<AppProcess, never, Scope.Scope>
}

const makeHerd = Effect.fnUntraced(function* (scale: Scale, behaviour: ReadonlyArray<string>, count = herd[scale]) {
  const folder = yield* makeFolder
  const [applications, customers] = [folder.file("applications.ndjson"), folder.file("customers.ndjson")]
  const made = ["--rate", "1000", "--seed", "7", "--start", "2026-01-14T00:00:00Z", "--known-share", "0"]
  yield* runApp("generator", ["applications", ...made, "--count", `${count}`, "--out", applications], folder.path)
  yield* runApp("generator", ["customers", "--out", customers], folder.path)
  const bureau = yield* startBureau(behaviour, folder.path)
  folder.connections({ bureau: { kind: "http", url: bureau.address } })
  const inputs = ["--input", `customers=${customers}`, "--input", `loan_applications=${applications}`]
  const args = ["--data", folder.data, "--jobs", "lending", ...inputs, "--alert-lag", alertLag[scale]]
  const lines = readFileSync(applications, "utf8").trimEnd().split("\n")
  return {
    folder,
    bureau,
    applications: lines.map((line) => JSON.parse(line) as Application), // the generator's
    start: startApp("pipeline", [...args, "--epoch", "200ms"], folder.path)
  } satisfies Herd
})

/** Waits until the bureau has answered a part of the herd. */
const answered = (bureau: BureauApp, calls: number) =>
  Effect.gen(function* () {
    while ((yield* bureau.counts).scored < calls) yield* Effect.sleep(50)
  })

/** As the contract of lending's rules says, for people whom lending does not know. */
const outcomeOf = ({ amount }: Application, score: number): string =>
  score >= 680 && amount <= 5_000 ? "approved" : score < 580 ? "declined" : "referred"

const decidedOnce = Effect.fnUntraced(function* ({ applications, folder }: Herd) {
  const decisions = yield* readTopic(folder.data, "loan_decisions")
  const failed = yield* readTopic(folder.data, "failed_applications")
  const byId = new Map(decisions.map((decision) => [String(decision["application_id"]), decision]))
  const wrong = applications.filter((application) => {
    const decision = byId.get(application.application_id)
    const score = Number(decision?.["score"])
    return decision?.["outcome"] !== outcomeOf(application, score) || (application.ssn.endsWith("9") && score !== 450)
  })
  const once = decisions.length === applications.length && byId.size === applications.length
  return [
    found(
      once && failed.length === 0,
      `${decisions.length} decisions on ${byId.size} of ${applications.length} applications, ${failed.length} failed`
    ),
    found(wrong.length === 0, `${wrong.length} decisions are not what the rules say`)
  ]
})

const lagAlert = Effect.fnUntraced(function* ({ folder }: Herd) {
  const alerts = (yield* readTopic(folder.data, "operations-alerts")).filter(({ kind }) => kind === "lag")
  const states = new Map<unknown, Array<unknown>>()
  for (const { state, subject } of alerts) states.set(subject, [...(states.get(subject) ?? []), state])
  const told = [...states].map(([subject, all]) => `${String(subject)} ${all.join(", ")}`).join("; ")
  const kept = states.size > 0 && [...states.values()].every((all) => all[0] === "firing" && all.at(-1) === "cleared")
  return found(kept, `the alert on lag fires and clears (${told === "" ? "none" : told})`)
})

const memory = (...runs: ReadonlyArray<AppProcess>): Finding => {
  const peak = Math.max(...runs.map((run) => run.peakBytes()))
  return found(peak > 0 && peak < rssBytesMax, `${Math.round(peak / 2 ** 20)} MB at most, below 500`)
}

const used = (share: number, of: string): Finding =>
  found(share >= usedShareMin, `${(share * 100).toFixed(1)} % of ${of} used in the steady phase, at least 95`)

const endedWell = (pipeline: AppProcess) =>
  Effect.map(pipeline.ended, (code) =>
    found(
      code === 0,
      code === 0
        ? "the pipeline ends by itself"
        : `the pipeline ended with ${code}: ${pipeline.lines().slice(-5).join(" | ")}`
    )
  )

const concurrent: Scenario = {
  name: "herd-concurrency",
  about: "applications at once against a bureau that allows so many calls at a time",
  run: Effect.fnUntraced(function* (scale) {
    const calls = scale === "full" ? 400 : 80
    // what passes between an answer and the next call is the machine's: little of a longer answer on a slow one, too
    const [delay, count] = scale === "full" ? ["150ms..250ms", herd.full] : ["700ms..900ms", 4_500]
    const made = yield* makeHerd(scale, ["--delay", delay, "--concurrency", `${calls}`], count)
    const pipeline = yield* made.start
    const ended = yield* endedWell(pipeline)
    const share = steadyInFlight(made.bureau.samples) / calls
    return [
      ended,
      ...(yield* decidedOnce(made)),
      used(share, `${calls} calls at a time`),
      memory(pipeline),
      yield* lagAlert(made)
    ]
  })
}

const limited: Scenario = {
  name: "herd-rate",
  about: "applications at once against a bureau that allows so many calls a second, and answers 429 beyond",
  run: Effect.fnUntraced(function* (scale) {
    const perSecond = scale === "full" ? 1_500 : 600
    // a rate is found by half a percent a second: that takes its time however few they are
    const count = scale === "full" ? herd.full : 24_000
    const made = yield* makeHerd(scale, ["--delay", "50ms..150ms", "--limit", `${perSecond}/s`], count)
    const pipeline = yield* made.start
    const ended = yield* endedWell(pipeline)
    const share = steadyRate(made.bureau.samples) / perSecond
    return [
      ended,
      ...(yield* decidedOnce(made)),
      used(share, `${perSecond} calls a second`),
      memory(pipeline),
      yield* lagAlert(made)
    ]
  })
}

const hanging: Scenario = {
  name: "herd-hang",
  about: "applications at once against a bureau that answers nothing for a while in the middle",
  run: Effect.fnUntraced(function* (scale) {
    const made = yield* makeHerd(scale, ["--delay", "50ms..150ms", "--concurrency", scale === "full" ? "200" : "60"])
    const pipeline = yield* made.start
    yield* answered(made.bureau, herd[scale] * 0.4)
    yield* made.bureau.behave({ hangRate: 1 })
    yield* Effect.sleep(scale === "full" ? 60_000 : 12_000)
    const before = (yield* made.bureau.counts).scored
    yield* made.bureau.behave({ hangRate: 0 })
    const [took] = yield* Effect.timed(answered(made.bureau, before + 100))
    const ended = yield* endedWell(pipeline)
    return [
      ended,
      ...(yield* decidedOnce(made)),
      found(true, `answers go on ${Duration.format(took)} after the bureau does`),
      memory(pipeline),
      yield* lagAlert(made)
    ]
  })
}

const killed: Scenario = {
  name: "herd-kill",
  about: "applications at once, the pipeline killed with -9 in the middle and started again",
  run: Effect.fnUntraced(function* (scale) {
    const made = yield* makeHerd(scale, ["--delay", "50ms..150ms", "--concurrency", scale === "full" ? "200" : "80"])
    const first = yield* made.start
    yield* answered(made.bureau, herd[scale] / 2)
    first.child.kill("SIGKILL")
    yield* first.ended
    const decided = (yield* readTopic(made.folder.data, "loan_decisions")).length
    const second = yield* made.start
    const ended = yield* endedWell(second)
    return [
      found(decided > 0 && decided < herd[scale], `killed after ${decided} decisions`),
      ended,
      ...(yield* decidedOnce(made)),
      memory(first, second)
    ]
  })
}

const mean = (values: ReadonlyArray<number>): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)

const million: Scenario = {
  name: "herd-million",
  about: "a million applications in the log before a bureau that takes a thousand a second: memory is flat",
  run: Effect.fnUntraced(function* (scale) {
    const count = scale === "full" ? 1_000_000 : 40_000
    const made = yield* makeHerd(scale, ["--delay", "50ms..150ms", "--concurrency", "100"], count)
    const pipeline = yield* made.start
    while ((yield* countTopic(made.folder.data, "external_checks")) < count) yield* Effect.sleep(500)
    const before = pipeline.residentBytes.length
    yield* Effect.sleep(scale === "full" ? 90_000 : 6_000)
    const since = pipeline.residentBytes.slice(before)
    const third = Math.floor(since.length / 3)
    const [first, last] = [mean(since.slice(0, third)), mean(since.slice(-third))]
    const decided = yield* countTopic(made.folder.data, "loan_decisions")
    pipeline.child.kill("SIGINT")
    yield* pipeline.ended
    const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`
    const told = `${megabytes(first)} at first, ${megabytes(last)} in the end, with ${count - decided} waiting; ${megabytes(pipeline.peakBytes())} at most while they came in`
    // six seconds hardly tell growth from a warm start
    const growthMax = scale === "full" ? 1.1 : 1.5
    const flat = last < first * growthMax && Math.max(...since) < rssBytesMax
    return [found(decided > 0 && decided < count && flat, told)]
  })
}

export const herds: ReadonlyArray<Scenario> = [concurrent, limited, hanging, killed, million]
