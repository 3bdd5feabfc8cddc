/**
 * `bun run bench`: runs what is named and prints a table, or one workload and prints its answer.
 *
 * `main.ts` calls it with the list of benchmarks. Data goes to stdout, progress and errors to stderr.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join, resolve } from "node:path"
import { comparePeers, peersTopic, withBroker } from "./peers/Compare.ts"
import { type Arguments, countOf, parseArguments } from "./support/Arguments.ts"
import { BenchError } from "./support/BenchError.ts"
import { checkAnswer, differs } from "./support/CheckedAnswer.ts"
import { type Bounds, buildBenchmarks, type Fields, medianFields, runBenchmark } from "./support/Benchmark.ts"
import { generateFile } from "./support/GenerateFile.ts"
import { describeMachine } from "./support/Machine.ts"
import { saveTable } from "./support/ResultsFile.ts"
import { documentOf, keptAll, type Measured, tableText } from "./support/Table.ts"
import { checkInput } from "./workload/Program.ts"

export interface Benchmarks {
  readonly bounds: Bounds
  readonly comparedWith: Readonly<Record<string, string>>
  /** Run only when named. */
  readonly withServers: ReadonlySet<string>
}

const usage = (names: ReadonlyArray<string>) => `usage: bun run bench [NAME …] [options]
  NAME              of ${names.join(", ")}; in any case;
                    lake means all that begin with it
                    (default: all that need nothing besides)
  --input FILE      transactions, one JSON object a line (default: generated)
  --events N        how many to generate (default: 2000000, of threads 12000000)
  --minutes N       how long memory is watched (default: 2)
  --rows N          rows of lake-append, lake-query and lake-compact (default: 10000000, of compact 5000000)
  --commits N       commits of lake-upkeep (default: 1000; the whole: 10000)
  --runs N          runs of each, of whose figures the median counts (default: 1)
  --peers DIR       compares with the systems that peers/setup.sh installed in DIR
                    (default input of those then: DIR/data/t2m.ndjson)
  --json            one JSON document instead of the table
  --save            writes the table into bench/RESULTS.md
one of W1 to W6:
  --json            only the answer's line
  --output DIR      also the answer's rows, DIR/W2.csv and so on
  --through log     fed into the embedded log and read from there; what that adds
bun run bench nexmark --help for Nexmark's queries
`

const workload = /^w[1-6]$/
/** Other systems do it too, and `--peers` runs them. */
const hasPeers = (name: string): boolean => workload.test(name) || name === "w2-kafka"
const tell = (text: string) => void process.stderr.write(`${text}\n`)

/** The file that was given; that of the peers, for what they do too; else one that is generated into the folder, once. */
const inputOf = (name: string, args: Arguments, folder: string): string => {
  const { input, peers } = { input: args.values["--input"], peers: args.values["--peers"] }
  const installed = peers === undefined || !hasPeers(name) ? undefined : join(peers, "data/t2m.ndjson")
  const file = input ?? (installed !== undefined && existsSync(installed) ? installed : undefined)
  if (file !== undefined) {
    checkInput(file)
    return resolve(file)
  }
  const generated = join(folder, "transactions.ndjson")
  if (existsSync(generated)) return generated
  const events = countOf(args, "--events", 2_000_000)
  tell(`generating ${events.toLocaleString("en")} transactions`)
  generateFile(generated, events)
  return generated
}

const runOrStop = (name: string, ...words: ReadonlyArray<string>) => {
  const ran = runBenchmark(name, ...words)
  // a workload has said on one line what a user can put right
  if ("failed" in ran) throw new BenchError(ran.failed.replace(/^bench: /, ""))
  return ran
}

const answerFields = ["high", "review", "clean", "invalid", "rules", "amount_cents", "late", "rows_sha256"]

/** The line with more fields at its end. */
const withFields = (line: string, fields: object): string => `${line.slice(0, -1)},${JSON.stringify(fields).slice(1)}`

/** The line of a run through the log, with what the log adds to one over the file. */
const throughLog = (name: string, file: string, words: ReadonlyArray<string>) => {
  const direct = runOrStop(name, file)
  const { fields, line } = runOrStop(name, file, "--through", "log", ...words)
  const differing = answerFields.filter(
    (field) => JSON.stringify(fields[field]) !== JSON.stringify(direct.fields[field])
  )
  if (differing.length > 0) throw new BenchError(`through the log ${name} has another ${differing.join(", ")}`)
  const micros = Number(direct.fields["cpuMicrosPerEvent"])
  const adds = Number((Number(fields["cpuMicrosPerEvent"]) - micros).toFixed(3))
  return { fields, line: withFields(line, { fileMicrosPerEvent: micros, logAddsMicrosPerEvent: adds }) }
}

/** Prints the answer; whether it is that of plain loops, as far as they looked. */
const runAnswer = (name: string, args: Arguments, folder: string): boolean => {
  const through = args.values["--through"] ?? "file"
  if (through !== "log" && through !== "file") throw new BenchError(`--through takes log or file, found ${through}`)
  if (through === "log" && name === "w6")
    throw new BenchError("W6 reads its table from memory: --through log is for W1 to W5")
  const output = args.values["--output"]
  const words = output === undefined ? [] : ["--output", resolve(output)]
  if (output !== undefined) makeFolder(output)
  const file = inputOf(name, args, folder)
  tell(`${name.toUpperCase()} over ${file}`)
  const { fields, line } = through === "log" ? throughLog(name, file, words) : runOrStop(name, file, ...words)
  const checked = checkAnswer(name, file, fields, folder)
  process.stdout.write(`${withFields(line, checked)}\n`)
  if (checked.answer !== "checked") tell(`${name}: its answer ${checked.answer}`)
  return !differs(checked.answer)
}

/** Makes its own tables, and needs no transactions. */
const isLake = (name: string): boolean => name.startsWith("lake-")

const makesInput = (name: string): boolean => isLake(name) || name === "threads"

/** What a benchmark is told. */
const wordsOf = (name: string, args: Arguments, file: string): ReadonlyArray<string> => {
  const given = (options: ReadonlyArray<"--rows" | "--commits" | "--events">) =>
    options.flatMap((option) => (args.values[option] === undefined ? [] : [option, String(countOf(args, option, 1))]))
  if (isLake(name)) return given(["--rows", "--commits"])
  if (name === "threads") return given(["--events"])
  return name === "memory" ? [file, String(countOf(args, "--minutes", 2))] : [file]
}

/** Before the work, which takes long. */
const makeFolder = (directory: string) => {
  try {
    mkdirSync(directory, { recursive: true })
  } catch (cause) {
    throw BenchError.of(`${directory} cannot be made`, cause, "give --output a folder that may be written to")
  }
}

/** With whether the answer is that of plain loops, where they know one. */
const checkedFields = (name: string, fields: Fields, file: string, folder: string): Fields =>
  workload.test(name) ? { ...fields, ...checkAnswer(name, file, fields, folder) } : fields

const measureOne = (name: string, args: Arguments, file: string, folder: string): Measured => {
  const peers = args.values["--peers"]
  const directory = peers === undefined || !hasPeers(name) ? undefined : resolve(peers)
  // on the same broker, from the same topic
  const topic = directory === undefined || name !== "w2-kafka" ? undefined : peersTopic(directory, file)
  const measured = () => runsOf(name, args, topic ?? file)
  const runs = directory === undefined || topic === undefined ? measured() : withBroker(directory, measured)
  if (typeof runs === "string") return { name, fields: {}, failed: runs, comparisons: [] }
  const fields = checkedFields(name, medianFields(runs), file, folder)
  const answer = String(fields["answer"] ?? "checked")
  const failed = differs(answer) ? `its answer ${answer}` : undefined
  if (answer !== "checked") tell(`${name}: its answer ${answer}`)
  const comparisons = directory === undefined ? [] : comparePeers(directory, name, file, fields, tell)
  return { name, fields, failed, comparisons }
}

/** What its runs found, or why there is nothing. */
const runsOf = (name: string, args: Arguments, input: string): ReadonlyArray<Fields> | string => {
  const runs: Array<Fields> = []
  for (let run = 1; run <= countOf(args, "--runs", 1); run++) {
    tell(`${name}, run ${run}`)
    const ran = runBenchmark(name, ...wordsOf(name, args, input))
    if ("failed" in ran) {
      tell(ran.failed)
      return ran.failed
    }
    runs.push(ran.fields)
  }
  return runs
}

/** A file by its name: the table is kept, and the path is one machine's. */
const inputText = (file: string, folder: string): string =>
  file === "" ? "some make their own" : file.startsWith(folder) ? "generated transactions, seed 42" : basename(file)

const runTable = async ({ bounds, comparedWith, withServers }: Benchmarks, args: Arguments, folder: string) => {
  const machine = await describeMachine(new Date())
  const named = args.names.length > 0
  const all = Object.keys(bounds).filter((each) => !withServers.has(each))
  const names = named
    ? args.names
    : args.values["--peers"] === undefined
      ? all
      : all.filter((each) => workload.test(each))
  const inputs = names.map((name) => (makesInput(name) ? "" : inputOf(name, args, folder)))
  await buildBenchmarks(names)
  const measured = names.map((name, index) => measureOne(name, args, inputs[index]!, folder))
  const input = [...new Set(inputs.map((file) => inputText(file, folder)))].join("; ")
  const table = tableText(machine, input, bounds, comparedWith, measured)
  process.stdout.write(
    args.on.has("--json") ? `${JSON.stringify(documentOf(machine, input, bounds, measured))}\n` : `${table}\n`
  )
  if (args.on.has("--save")) saveTable(join(import.meta.dirname, "../RESULTS.md"), table)
  return keptAll(bounds, measured)
}

/** One workload whose answer is asked for, not its place in a table. */
const asksAnswer = ({ names, on, values }: Arguments): boolean => {
  const asked = on.has("--json") || values["--output"] !== undefined || values["--through"] !== undefined
  const table = values["--peers"] !== undefined || values["--runs"] !== undefined || on.has("--save")
  return names.length === 1 && workload.test(names[0]!) && asked && !table
}

/** Does what the words say; gives the exit code. */
export const bench = async (benchmarks: Benchmarks, words: ReadonlyArray<string>): Promise<number> => {
  const known = Object.keys(benchmarks.bounds)
  const args = parseArguments(words, known)
  if (args.on.has("--help")) {
    process.stdout.write(usage(known))
    return 0
  }
  const { "--output": output, "--peers": peers, "--through": through } = args.values
  if (!asksAnswer(args) && (output !== undefined || through !== undefined))
    throw new BenchError("--output and --through go with one workload: bun run bench W2 --input FILE --output DIR")
  if (peers !== undefined && !existsSync(peers))
    throw new BenchError(`${peers} is not there: name the folder that peers/setup.sh was told`)
  const folder = mkdtempSync(join(tmpdir(), "frazil-bench-"))
  try {
    if (!asksAnswer(args)) return (await runTable(benchmarks, args, folder)) ? 0 : 1
    await buildBenchmarks(args.names)
    return runAnswer(args.names[0]!, args, folder) ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
