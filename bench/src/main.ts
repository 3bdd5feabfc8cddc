/**
 * `bun run bench [NAME …] [options]`: what the system costs. Without names every benchmark that needs no servers, each in a
 * process of its own, then one table; with one workload and `--json`, `--output` or `--through` its answer.
 *
 * Exits 1 when one fails or misses its bound. Never part of the tests: the machine may be shared and noisy.
 * `bun run bench nexmark …` has options of its own: see `nexmark/Command.ts`.
 */
import { bench } from "./Command.ts"
import { nexmark } from "./nexmark/Command.ts"
import type { Bounds } from "./support/Benchmark.ts"
import { orTold } from "./support/BenchError.ts"

/** A line each: the program is `<name>.ts`, a bound is the field of its JSON line, the most it may be, and its unit. */
const bounds: Bounds = {
  w1: [
    ["cpuMicrosPerEvent", 1, "µs of CPU an event"],
    ["rssPeakMb", 400, "MB"]
  ],
  w2: [
    ["cpuMicrosPerEvent", 1.3, "µs of CPU an event"],
    ["rssPeakMb", 400, "MB"]
  ],
  w3: [
    ["cpuMicrosPerEvent", 1.5, "µs of CPU an event"],
    ["rssPeakMb", 400, "MB"]
  ],
  joins: [["cpuMicrosPerEvent", 3.5, "µs of CPU an event, two results for three events"]],
  "two-topics": [["secondTopicAddsMicros", 6, "µs of CPU that an event costs more when a join's sides are two topics"]],
  w4: [
    ["cpuMicrosPerEvent", 2, "µs of CPU an event"],
    ["rssPeakMb", 400, "MB"]
  ],
  w6: [["cpuMicrosPerEvent", 3, "µs of CPU an event, joined with a table of a million rows, reading those told apart"]],
  rules: [["cpuMicrosPerEvent", 3.5, "µs of CPU an event"]],
  w5: [
    ["cpuMicrosPerEvent", 3.5, "µs of CPU an event, {commits} commits"],
    ["rssPeakMb", 400, "MB"]
  ],
  "w5-commits": [
    ["cpuMicrosPerEvent", 3.5, "µs of CPU an event, {n} events and {commits} commits"],
    ["fewerCommits", 0, "commits fewer than two"],
    ["rssPeakMb", 400, "MB"]
  ],
  log: [["logAddsMicros", 2, "µs of CPU an event, one write and one read of it"]],
  "w1-log": [
    ["cpuMicrosPerEvent", 3, "µs of CPU an event, W1 over what was fed into the embedded log, the feed included"]
  ],
  lookup: [["lookupMicros", 20, "µs of CPU a lookup, beside the call itself"]],
  repartition: [["repartitionAddsMicros", 6, "µs of CPU that a record costs more through an internal topic"]],
  epochs: [["cpuPercent", 5, "% more CPU with epochs of 200 ms than with hardly any"]],
  compact: [["cpuMinutesPerGigabyte", 0.77, "minutes of CPU a GB of small files (1.3 GB a minute)"]],
  start: [["firstRowMs", 3000, "ms to the first landed row"]],
  alerts: [
    ["rowP99Ms", 500, "ms from append to alert at 1,000/s, row rules, p99"],
    ["windowP99Ms", 500, "ms from the append that made a window fire to its alert, p99"]
  ],
  latency: [
    ["p99Ms", 400, "ms from append to committed output at 50,000/s, epochs of 200 ms, p99"],
    ["shortPercent", 1, "% fewer records a second than 50,000"],
    ["unseen", 0, "records sent and not seen"]
  ],
  memory: [
    ["rssGrowthPercent", 5, "% more memory in the last third than in the second, at full speed"],
    ["openFilesGrowthPercent", 5, "% more open files"]
  ],
  query: [
    ["overDuckDbMs", 10, "ms over 1.1 times DuckDB by itself, 10 M rows"],
    ["oldestOverNewest", 1.2, "times the newest snapshot for the oldest of 1,000"]
  ],
  "lake-append": [
    ["secondsOver", 1, "times PyIceberg's time for 10 M rows of 16 columns, the faster of its two ways"],
    ["rssOver", 0.5, "times PyIceberg's peak memory, the smaller of its two ways"]
  ],
  "lake-commit": [
    ["p50Ms", 15, "ms a commit to a table of 10,000 files, SQLite and local disk, synced"],
    ["p99Ms", 60, "ms, p99"]
  ],
  "lake-plan": [
    ["byDayColdMs", 150, "ms to plan over 100,000 files by a partition and bounds, no manifest read before"],
    ["byDayColdOver", 0.2, "times PyIceberg's"],
    ["scatteredColdOver", 0.2, "times PyIceberg's where every manifest has files of every partition"]
  ],
  "lake-query": [["worstOver", 1.1, "times DuckDB on the same files, the worst of the queries"]],
  "lake-compact": [
    ["cpuMinutesPerGb", 1, "minutes of CPU a GB of Parquet that goes in"],
    ["rssPeakMb", 1000, "MB"]
  ],
  "lake-upkeep": [
    ["planOver", 1.2, "times a fresh table's planning after many small commits and the shipped upkeep"],
    ["queryOver", 1.2, "times a fresh table's query"],
    ["planOverBeforeUpkeep", 1.2, "times its planning just before the next compaction"],
    ["queryOverBeforeUpkeep", 1.2, "times its query just before the next compaction"]
  ],
  kafka: [
    ["consumeMicros", 2, "µs of CPU a record from Kafka into columns (500,000 a CPU-second)"],
    ["landMicros", 8.33, "µs of CPU a record from Kafka into the table (120,000 a CPU-second)"]
  ],
  "state-store": [
    ["skewedTimesMemory", 3.33, "times memory's CPU an event for 20 GB on disk, skewed keys (30 % of its throughput)"],
    ["uniformTimesMemory", 3.33, "times memory's CPU an event for 20 GB on disk, keys that are all as likely"],
    ["diskRssPeakMb", 1024, "MB of memory with state on disk"]
  ],
  "w2-kafka": [["cpuMicrosPerEvent", 4, "µs of CPU an event, the job alone"]],
  threads: [
    [
      "overTwoThreads",
      0.588,
      "of one thread's time on two, four partitions, the file as source, once code is compiled (1.7 times as fast)"
    ]
  ],
  recovery: [
    ["recoveryMs", 3000, "ms from a restart after kill -9 to the first new output, 1 M keys"],
    ["snapshotPauseMs", 50, "ms without records because of a snapshot, the longest, 1 M keys in windows"],
    [
      "restoreMs",
      2000,
      "ms from fencing to the restored state, 1 M keys in windows, in a process that has run the job"
    ],
    ["freshRestoreMs", 2000, "ms, the same in a process that only restores"],
    // at most 1.5 times the share that changed, and half a percent; of 1 % always 1.5
    ["increment0.1Percent", 0.65, "% of the base's bytes in increments after 0.1 % of the keys changed"],
    ["increment1Percent", 1.5, "% after 1 % changed"],
    ["increment10Percent", 15.5, "% after 10 % changed"],
    ["increment50Percent", 75.5, "% after 50 % changed"]
  ]
}

/** Not run unless named: they need servers, or PyIceberg and many minutes. */
const withServers: ReadonlySet<string> = new Set([
  "kafka",
  "w2-kafka",
  "lake-append",
  "lake-commit",
  "lake-plan",
  "lake-query",
  "lake-compact",
  "lake-upkeep"
])

/** What the table says beside a figure; `--peers` measures it. */
const comparedWith: Readonly<Record<string, string>> = {
  w1: "Flink with Jackson, warm: 1/3; with fastjson2: 1/2",
  w2: "Flink, warm: 1/3",
  w3: "Flink, start-up included: 1/5",
  w4: "Flink CEP, warm: 1/6",
  w5: "Flink into Iceberg, warm: 1/2",
  "w2-kafka": "Kafka Streams on the same topic, warm: 1/2",
  query: "DuckDB by itself",
  "lake-append": "PyIceberg",
  "lake-plan": "PyIceberg",
  "lake-query": "DuckDB by itself",
  "lake-upkeep": "the same rows, freshly written"
}

await orTold(async () => {
  const words = process.argv.slice(2)
  const kept =
    words[0] === "nexmark" ? await nexmark(words.slice(1)) : await bench({ bounds, comparedWith, withServers }, words)
  process.exitCode = kept
})
