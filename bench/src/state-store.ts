/**
 * State on disk against state in memory: the same job over the same records, as its state grows.
 *
 * usage: bun bench/src/state-store.ts [ignored] [megabytes …], of which the last may be several thousand. A keyed job keeps a
 * profile of about 450 bytes a key; records are made as they are read, so that neither a log nor a file is measured. A child a
 * store: at each size it first takes one record of each new key, then is measured with keys that are all as likely (the worst case
 * for a cache) and with keys of a Zipf distribution of exponent 1 (of a million keys the 1 % that come most often have two thirds
 * of the records). On disk it is measured over so many records that what they write is merged into the last level, whose share
 * grows with the size: a quarter as many as there are keys. No snapshots: those are `recovery`'s and `epochs`'. Each size is
 * measured for both stores, those up to `memoryMegabytesMax` in memory. `DISTRIBUTION=uniform` measures one of the two alone.
 * Prints one JSON object.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Field, makeRecordBuilder, type PackedRecords, Timestamp, Topic } from "@frazil/core"
import {
  Flow,
  Job,
  localStateFolder,
  Log,
  type LogShape,
  StateFolder,
  type StateFolderShape,
  type TopicInfo
} from "@frazil/engine"
import { makeRandom } from "@frazil/sim"
import { Effect, Layer, Schema } from "effect"
import { jobServices } from "./support/JobServices.ts"
import { forgetful } from "./support/ForgetfulLog.ts"

const [store = "", distribution = ""] = process.argv[2] === "child" ? process.argv.slice(3) : []
const sizes = (process.argv[2] === "child" ? process.argv.slice(5) : process.argv.slice(3)).map(Number)
const profileBytes = 450
const measuredRecordsMin = 200_000
/** What lies above a last level is merged into it when it is at least a quarter of it. */
const measuredShare = 0.25
const batchRecords = 2_000
const cacheBytesMax = 64 * 1_048_576
const memoryMegabytesMax = 2_048

const Payment = Topic.make("payments", {
  schema: Schema.Struct({ account: Field.text(), merchant: Field.text(), amount: Field.int(), at: Field.timestamp }),
  key: "account",
  eventTime: "at",
  partitions: 1
})
const Told = Topic.make("told", {
  schema: Schema.Struct({ account: Field.text(), count: Field.int() }),
  key: "account",
  partitions: 1
})
const Profile = Schema.Struct({
  count: Schema.Finite,
  total: Schema.Finite,
  merchants: Schema.Array(Schema.String),
  amounts: Schema.Array(Schema.Finite)
})
type Profile = typeof Profile.Type
const kept = 16

/** All profiles have the same size from their first record on. */
const after = ({ amounts, count, merchants, total }: Profile, merchant: string, amount: number): Profile => ({
  count: count + 1,
  total: total + amount,
  merchants: [
    ...(merchants.length === 0 ? Array.from({ length: kept }, () => merchant) : merchants).slice(1),
    merchant
  ],
  amounts: [...(amounts.length === 0 ? Array.from({ length: kept }, () => amount) : amounts).slice(1), amount]
})

const jobOn = (on: Flow.StateStore) =>
  Job.make("profiles", [
    Flow.from(Payment).pipe(
      Flow.keyBy("account"),
      Flow.mapWithState(
        {
          name: "profiles",
          schema: Profile,
          initial: (): Profile => ({ count: 0, total: 0, merchants: [], amounts: [] }),
          ttl: "400 days",
          store: on
        },
        (profile, { account, amount, merchant }) => {
          const next = after(profile, merchant, amount)
          return [next, [{ account, count: next.count }]]
        }
      ),
      Flow.to(Told)
    )
  ])

const startMs = Date.UTC(2026, 0, 14)
const keyOf = (index: number) => `ACC${String(index).padStart(10, "0")}`

const { bits } = makeRandom(42)
const random = () => bits() / 4_294_967_296
/** Of `keys`, which lie anywhere: rank k is as likely as 1/k. */
const zipf = (keys: number) => (Math.floor(keys ** random()) * 2_654_435_761) % keys
const uniform = (keys: number) => Math.floor(random() * keys)

interface Phase {
  readonly records: number
  readonly key: (record: number) => number
  readonly done: (measured: Measured) => void
}

interface Measured {
  readonly cpuMicros: number
  readonly wallMicros: number
  readonly written: number
}

let written = 0
let onDisk = 0
let diskPeak = 0

/** Counts what goes to disk. */
const counting = (folder: StateFolderShape): StateFolderShape => ({
  ...folder,
  make: (path) => {
    const made = folder.make(path)
    const create = (name: string) => {
      const file = made.create(name)
      let size = 0
      const append = (bytes: Uint8Array, length: number) => {
        file.append(bytes, length)
        size += length
        written += length
        onDisk += length
        diskPeak = Math.max(diskPeak, onDisk)
      }
      const discard = () => {
        file.discard()
        onDisk -= size
      }
      return { ...file, append, discard }
    }
    return { ...made, create }
  }
})

let rssPeak = 0
let rssBuilt = 0

/** A log that makes its records phase by phase; what is committed is dropped. */
const makeLog = (phases: ReadonlyArray<Phase>) => {
  let at = 0
  let record = 0
  let offset = 0
  let before = { cpu: process.cpuUsage(), wall: performance.now(), written }
  const info = (name: string): TopicInfo => ({ name, id: name, partitions: 1, createdAt: 0 })
  const next = (): PackedRecords => {
    const builder = makeRecordBuilder()
    rssPeak = Math.max(rssPeak, process.memoryUsage.rss())
    if (at < phases.length && record === phases[at]!.records) {
      const cpu = process.cpuUsage(before.cpu)
      const wall = performance.now() - before.wall
      phases[at]!.done({
        cpuMicros: (cpu.user + cpu.system) / record,
        wallMicros: (wall * 1000) / record,
        written: (written - before.written) / record
      })
      at++
      record = 0
      before = { cpu: process.cpuUsage(), wall: performance.now(), written }
    }
    const phase = phases[at]
    if (phase === undefined) return builder.take()
    const count = Math.min(batchRecords, phase.records - record)
    for (let i = 0; i < count; i++) {
      const account = keyOf(phase.key(record++))
      const time = Timestamp.format(Timestamp.make(startMs + offset + i))
      builder.addText(
        `{"account":"${account}","merchant":"MERCHANT-${String(offset % 99_991).padStart(7, "0")}","amount":${(offset * 37) % 10_000},"at":"${time}"}`,
        account
      )
    }
    return builder.take()
  }
  let given = 0
  const log: LogShape = {
    ...forgetful,
    ensureTopic: ({ name }) => Effect.succeed(info(name)),
    topic: (name) => Effect.succeed(info(name)),
    bounds: () =>
      Effect.sync(() => [{ partition: 0, start: 0, end: at < phases.length ? Number.MAX_SAFE_INTEGER : offset }]),
    read: (_topic, _partition, from) =>
      Effect.sync(() => {
        const batch = next()
        const offsets = Float64Array.from({ length: batch.length }, (_, i) => offset + i)
        offset += batch.length
        given += batch.length
        return {
          ...batch,
          offsets,
          timestamps: new Float64Array(batch.length).fill(startMs),
          next: batch.length === 0 ? from : offset
        }
      }),
    commit: ({ shards }) =>
      Effect.sync(() =>
        shards.flatMap(({ outputs }) => outputs).map(({ partition, topic }) => ({ topic, partition, offset: given }))
      )
  }
  return Layer.succeed(Log, log)
}

interface Row extends Measured {
  readonly megabytes: number
  readonly rssMb: number
  readonly diskMb: number
}

const child = async () => {
  const root = mkdtempSync(join(tmpdir(), "frazil-state-store-"))
  const rows: Array<Row> = []
  const draw = distribution === "uniform" ? uniform : zipf
  const phases: Array<Phase> = []
  let keys = 0
  for (const megabytes of sizes) {
    const from = keys
    keys = Math.floor((megabytes * 1_048_576) / profileBytes)
    const upTo = keys
    const built = () => (rssBuilt = process.memoryUsage.rss())
    phases.push({ records: upTo - from, key: (record) => from + record, done: built })
    // what was loaded in order leaves the cache
    phases.push({ records: measuredRecordsMin / 2, key: () => draw(upTo), done: () => {} })
    phases.push({
      records: store === "memory" ? measuredRecordsMin : Math.max(measuredRecordsMin, Math.floor(upTo * measuredShare)),
      key: () => draw(upTo),
      done: (measured) =>
        rows.push({ megabytes, ...measured, rssMb: process.memoryUsage.rss() / 1_048_576, diskMb: onDisk / 1_048_576 })
    })
  }
  const services = Layer.mergeAll(
    makeLog(phases),
    jobServices,
    Layer.succeed(StateFolder, counting(localStateFolder(root, store === "sealed")))
  )
  const on = store === "memory" ? "memory" : ({ disk: { cacheBytesMax } } as const)
  const options = { bounded: true, inputComplete: () => Effect.succeed(true), checkpointEveryMs: 24 * 3_600_000 }
  try {
    await Effect.runPromise(Job.run(jobOn(on), options).pipe(Effect.provide(services)))
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
  process.stdout.write(
    `${JSON.stringify({ rows, rssPeakMb: rssPeak / 1_048_576, rssBuilt, diskPeakMb: diskPeak / 1_048_576 })}\n`
  )
}

interface Ran {
  readonly rows: ReadonlyArray<Row>
  readonly rssPeakMb: number
  readonly diskPeakMb: number
}

const run = (on: string, keys: string, megabytes: ReadonlyArray<number>): Ran => {
  const args = [import.meta.filename, "child", on, keys, ...megabytes.map(String)]
  const ran = spawnSync(process.execPath, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })
  if (ran.status !== 0) throw new Error(`${on}, ${keys}: ended with ${ran.status}`)
  return JSON.parse(ran.stdout) as Ran // printed by the child above
}

const round = (value: number) => Math.round(value * 100) / 100
const targetMegabytes = 20_480

/** By least squares over the logarithm of the size: a level of the store more with each doubling or so. */
const at20Gb = (rows: ReadonlyArray<Row>): number => {
  const points = rows.map(({ cpuMicros, megabytes }) => [Math.log2(megabytes), cpuMicros] as const)
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, each) => sum + of(each), 0) / points.length
  const [x, y] = [mean(([size]) => size), mean(([, cost]) => cost)]
  const spread = points.reduce((sum, [size]) => sum + (size - x) ** 2, 0)
  const slope = spread === 0 ? 0 : points.reduce((sum, [size, cost]) => sum + (size - x) * (cost - y), 0) / spread
  return y + Math.max(0, slope) * (Math.log2(targetMegabytes) - x)
}

const compare = (keys: string, megabytes: ReadonlyArray<number>) => {
  const memory = run(
    "memory",
    keys,
    megabytes.filter((size) => size <= memoryMegabytesMax)
  )
  const disk = run("disk", keys, megabytes)
  const ofMemory = (size: number) => memory.rows.findLast(({ megabytes: at }) => at <= size)!
  return {
    keys,
    rows: disk.rows.map((row) => ({
      stateMb: row.megabytes,
      memoryMicros: round(ofMemory(row.megabytes).cpuMicros),
      diskMicros: round(row.cpuMicros),
      percentOfMemory: round((100 * ofMemory(row.megabytes).cpuMicros) / row.cpuMicros),
      wallPercentOfMemory: round((100 * ofMemory(row.megabytes).wallMicros) / row.wallMicros),
      bytesWrittenPerRecord: Math.round(row.written),
      memoryRssMb: Math.round(ofMemory(row.megabytes).rssMb),
      diskRssMb: Math.round(row.rssMb),
      filesMb: Math.round(row.diskMb)
    })),
    diskMicrosAt20Gb: round(at20Gb(disk.rows)),
    percentAt20Gb: round((100 * memory.rows.at(-1)!.cpuMicros) / at20Gb(disk.rows)),
    diskRssPeakMb: Math.round(disk.rssPeakMb),
    memoryRssPeakMb: Math.round(memory.rssPeakMb),
    filesPeakMb: Math.round(disk.diskPeakMb)
  }
}

if (process.argv[2] === "child") await child()
else {
  const chosen = sizes.length > 0 ? sizes : [256, 512, 1024]
  const only = process.env["DISTRIBUTION"]
  const skewed = only === "uniform" ? undefined : compare("zipf", chosen)
  const even = only === "zipf" ? undefined : compare("uniform", chosen)
  const result = {
    w: "state-store",
    profileBytes,
    cacheMb: cacheBytesMax / 1_048_576,
    skewed,
    uniform: even,
    skewedTimesMemory: skewed && round(100 / skewed.percentAt20Gb),
    uniformTimesMemory: even && round(100 / even.percentAt20Gb),
    skewedPercentAt20Gb: skewed?.percentAt20Gb,
    uniformPercentAt20Gb: even?.percentAt20Gb,
    diskRssPeakMb: Math.max(skewed?.diskRssPeakMb ?? 0, even?.diskRssPeakMb ?? 0)
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
}
