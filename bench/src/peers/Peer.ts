/**
 * Other systems that do the workloads, as `setup.sh` of the peers installs them in a folder: how each is called.
 *
 * `Compare.ts` runs them. Commands run in that folder. A peer that does a workload several times in one process tells the CPU
 * of each pass (`cpus`): the later ones are warm.
 */

export interface PeerInput {
  /** An absolute path. */
  readonly file: string
  /** The topic that the peers' set-up loaded the file into, if it did. */
  readonly topic: string | undefined
}

/** Ours is at most 1/`over` of the peer's: of its later passes (`warm`), or with its start-up (`whole`). */
export interface PeerBound {
  readonly over: number
  readonly basis: "warm" | "whole"
}

export interface Peer {
  readonly name: string
  /** Files of the folder without which it is not installed. */
  readonly needs: ReadonlyArray<string>
  /** By workload, in lower case. */
  readonly command: (workload: string, input: PeerInput) => ReadonlyArray<string> | undefined
  readonly bounds?: Readonly<Record<string, PeerBound>>
  /** Why it does the workload only with this input. */
  readonly onlyTopics?: true
}

/** `does` names the workloads, `words` what to run for one. */
const of =
  (does: ReadonlyArray<string>, words: (workload: string, input: PeerInput) => ReadonlyArray<string>) =>
  (workload: string, input: PeerInput) =>
    does.includes(workload) ? words(workload.toUpperCase(), input) : undefined

/** Passes in one process, the first of which is not warm. */
const flinkPasses: Readonly<Record<string, number>> = { W1: 3, W2: 3, W3: 1, W4: 3, W5: 2 }

const flink = (w: string, file: string, ...more: ReadonlyArray<string>) => [
  "./flink.sh",
  ...["--w", w, "--p", "1", "--reps", String(flinkPasses[w] ?? 1), "--files", file],
  ...more
]

/** Ours reads the same topic in `w2-kafka`, a file in the others. */
const kafkaStreams = (name: string, does: ReadonlyArray<string>, ...store: ReadonlyArray<string>): Peer => ({
  name,
  needs: ["kstreams/classes/peers/Ks.class", "kstreams/broker.sh"],
  onlyTopics: true,
  command: (workload, input) =>
    of(does, (w, { topic = "" }) => [
      ...["java", "-Xmx2g", "-cp", "kstreams/classes:kstreams/lib/*", "peers.Ks"],
      ...["--w", w, "--topic", topic, "--p", "2", "--reps", w === "W3" ? "1" : "2"],
      ...store
    ])(workload === "w2-kafka" ? "w2" : workload, input)
})

const python = "venv/bin/python"

export const peers: ReadonlyArray<Peer> = [
  {
    name: "Rust, SIMD JSON",
    needs: ["rust/target/release/limit"],
    command: of(["w1", "w2", "w3", "w4"], (w, { file }) => ["rust/target/release/limit", w, file, "sonic"])
  },
  {
    name: "DuckDB, two threads",
    needs: [python, "duck.py", "venv/lib/python*/site-packages/duckdb"],
    command: of(["w1", "w2", "w3", "w4", "w5"], (w, { file }) => [python, "duck.py", w, file, "2"])
  },
  {
    name: "plain Bun",
    needs: ["plain.mjs"],
    command: of(["w1", "w2", "w3", "w4"], (w, { file }) => [process.execPath, "plain.mjs", w, file])
  },
  {
    name: "Flink, Jackson",
    needs: ["flink.sh", "flink/classes/peers/Main.class"],
    command: (workload, { file }) =>
      workload === "w6"
        ? flink("W6mem", file, "--table", "data/accounts.csv")
        : of(["w1", "w2", "w3", "w4", "w5"], (w) => flink(w, file))(workload, { file, topic: undefined }),
    bounds: {
      w1: { over: 3, basis: "warm" },
      w2: { over: 3, basis: "warm" },
      w3: { over: 5, basis: "whole" },
      w4: { over: 6, basis: "warm" },
      w5: { over: 2, basis: "warm" }
    }
  },
  {
    name: "Flink, fastjson2",
    needs: ["flink.sh", "flink/classes/peers/Main.class"],
    command: of(["w1", "w2"], (w, { file }) => flink(w, file, "--parser", "fastjson2")),
    bounds: { w1: { over: 2, basis: "warm" } }
  },
  { ...kafkaStreams("Kafka Streams, RocksDB", ["w1", "w2"]), bounds: { "w2-kafka": { over: 2, basis: "warm" } } },
  kafkaStreams("Kafka Streams, in memory", ["w2", "w3"], "--store", "mem"),
  {
    name: "Bytewax",
    needs: [python, "bw.py", "venv/lib/python*/site-packages/bytewax"],
    // of W3 it takes minutes
    command: of(["w1", "w2"], (w, { file }) => [python, "bw.py", w, file])
  },
  {
    name: "Pathway",
    needs: ["venvp/bin/python", "pw_bench.py", "venvp/lib/python*/site-packages/pathway"],
    command: of(["w1", "w2"], (w, { file }) => ["venvp/bin/python", "pw_bench.py", w, file])
  },
  {
    name: "PyIceberg, Arrow",
    needs: [python, "pyice.py", "venv/lib/python*/site-packages/pyiceberg"],
    command: of(["w5"], (_, { file }) => [python, "pyice.py", file, "arrow"])
  }
]
