/**
 * What is slow slows what is before it, through Kafka: a bureau that takes a few calls a second, and a webhook that takes its
 * time. Memory stays as it is, records wait in topics, lag and the share of time show it; nothing is lost on the way.
 */
import { Effect } from "effect"
import { makeFolder } from "../Folder.ts"
import { startBureau } from "../lending/BureauApp.ts"
import { type AppProcess, runApp, startApp } from "../Process.ts"
import { found, type Scale, type Scenario } from "../Scenario.ts"
import { readTopic } from "../Topics.ts"
import { openKafka } from "./Broker.ts"
import { startWebhook } from "./SlowWebhook.ts"

const port = 19_406
const sizes: Readonly<Record<Scale, { readonly count: number; readonly watchSeconds: number }>> = {
  full: { count: 200_000, watchSeconds: 90 },
  short: { count: 8_000, watchSeconds: 15 }
}
const stage = `job="lending-enrichment",topic="external_checks"`
const waitsMin = 0.5
const warmUpMs = 10_000
/** What waits at the least in every look. */
const lagMin = 1_000
const sinkLagMin = 100
/** Of a run that is too short to tell growth from a warm start. */
const rssBytesMax = 400 * 1024 * 1024
/** For what hangs: a slow machine takes its time for all that waits. */
const calmMs = 300_000

/** A look at the pipeline's metrics. */
interface Look {
  readonly atMs: number
  readonly rssBytes: number
  readonly lag: number
  readonly sinkLag: number
  readonly heldSeconds: number
}

const valueOf = (text: string, name: string, labels: string): number => {
  const line = text.split("\n").find((each) => each.startsWith(`${name}${labels === "" ? " " : `{${labels}`}`))
  return Number(line?.split(" ").at(-1) ?? 0)
}

const look = (address: string) =>
  Effect.promise(async (): Promise<Look> => {
    const text = await (await fetch(`${address}/metrics`)).text()
    return {
      atMs: performance.now(),
      rssBytes: valueOf(text, "process_resident_memory_bytes", ""),
      lag: valueOf(text, "frazil_consumer_lag", stage),
      sinkLag: valueOf(text, "frazil_sink_lag", `sink="told"`),
      heldSeconds: valueOf(text, "frazil_backpressured_seconds_total", stage)
    }
  })

const mean = (values: ReadonlyArray<number>): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)

const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MB`

const judge = (looks: ReadonlyArray<Look>, scale: Scale) => {
  const third = Math.floor(looks.length / 3)
  const [first, last] = [looks.slice(0, third), looks.slice(-third)]
  const [rssFirst, rssLast] = [mean(first.map(({ rssBytes }) => rssBytes)), mean(last.map(({ rssBytes }) => rssBytes))]
  const [from, to] = [looks[0]!, looks.at(-1)!]
  const share = ((to.heldSeconds - from.heldSeconds) * 1000) / (to.atMs - from.atMs)
  const [least, most] = [Math.min(...looks.map(({ lag }) => lag)), Math.max(...looks.map(({ lag }) => lag))]
  return [
    found(least > lagMin, `consumer_lag shows what waits: ${least} to ${most} records`),
    found(to.sinkLag > sinkLagMin, `frazil_sink_lag shows what the webhook has not taken: ${to.sinkLag}`),
    found(share > waitsMin, `backpressured ${(share * 100).toFixed(0)} % of the time, above ${waitsMin * 100}`),
    found(
      rssLast < (scale === "full" ? rssFirst * 1.1 : rssBytesMax),
      `memory is flat: ${megabytes(rssFirst)}, then ${megabytes(rssLast)}`
    )
  ]
}

/** Waits until a look is as wanted; dies when it takes too long. */
const until = (address: string, wanted: (look: Look) => boolean) =>
  Effect.gen(function* () {
    while (!wanted(yield* look(address))) yield* Effect.sleep(500)
  }).pipe(Effect.timeout(calmMs), Effect.orDie)

/** On a slow machine it takes a while until all has come before the bureau. */
const waiting = (address: string) => until(address, ({ lag, sinkLag }) => lag > lagMin && sinkLag > 0)

const cleared = (address: string) => until(address, ({ lag, sinkLag }) => lag === 0 && sinkLag === 0)

const ended = Effect.fnUntraced(function* (pipeline: AppProcess) {
  pipeline.child.kill("SIGINT")
  const code = yield* pipeline.ended
  return found(code === 0, `the pipeline ends with ${code}`)
})

export const backpressure: Scenario = {
  name: "kafka-backpressure",
  about: "a slow bureau and a slow webhook behind a Kafka log: lag grows, memory does not",
  run: Effect.fnUntraced(function* (scale) {
    const { count, watchSeconds } = sizes[scale]
    const folder = yield* makeFolder
    const kafka = yield* openKafka(port)
    const bureau = yield* startBureau(
      ["--delay", "80ms..120ms", "--concurrency", scale === "full" ? "20" : "4"],
      folder.path
    )
    const webhook = yield* startWebhook
    webhook.takes(400)
    folder.connections(
      { bureau: { kind: "http", url: bureau.address }, slow: { kind: "http", url: webhook.url } },
      { told: { kind: "webhook", topic: "loan_decisions", connection: "slow", personal: true } }
    )
    const log = ["--log", kafka.url]
    yield* runApp("generator", ["customers", ...log], folder.path)
    const made = ["--rate", "1000", "--seed", "7", "--start", "2026-01-14T00:00:00Z", "--known-share", "0"]
    yield* runApp("generator", ["applications", ...made, "--count", `${count}`, ...log], folder.path)
    const args = ["--jobs", "lending", "--data", folder.data, "--no-generator", "--port", "0", ...log]
    const pipeline = yield* startApp("pipeline", args, folder.path)
    const address = (yield* pipeline.said(/answers at http:\/\/\S+/)).replace("answers at ", "")
    yield* Effect.sleep(warmUpMs)
    yield* waiting(address)
    const looks: Array<Look> = []
    for (let second = 0; second < watchSeconds; second++) {
      looks.push(yield* look(address))
      yield* Effect.sleep(1_000)
    }
    yield* bureau.behave({ delayMsMin: 1, delayMsMax: 2, concurrency: null })
    webhook.takes(0)
    yield* cleared(address)
    const decided = yield* readTopic(folder.data, "loan_decisions", kafka.place)
    const once = new Set(decided.map((decision) => decision["application_id"])).size
    return [
      ...judge(looks, scale),
      found(
        decided.length === count && once === count,
        `${decided.length} decisions on ${once} of ${count} applications`
      ),
      found(webhook.ids.size === count, `${webhook.ids.size} of them told to the webhook`),
      yield* ended(pipeline)
    ]
  })
}
