/**
 * `bun run test:it`: the integration tests; `--foreign` asks the large engines (Spark, Flink, Trino) everything, and whole sweeps.
 *
 * Vitest refuses options that it does not know: what it means goes to the tests in FRAZIL_FOREIGN. The rest is Vitest's.
 */
import { spawn } from "node:child_process"

const given = process.argv.slice(2)
const foreign = given.includes("--foreign")
const args = ["--bun", "vitest", "run", "--project", "integration", ...given.filter((each) => each !== "--foreign")]
// these engines live for minutes: what the second compiler of their Java machines makes faster never earns what it takes
const quickJava = `-XX:TieredStopAtLevel=1 ${process.env["JAVA_TOOL_OPTIONS"] ?? ""}`.trim()
const env = { ...process.env, ...(foreign ? { FRAZIL_FOREIGN: "full" } : {}), JAVA_TOOL_OPTIONS: quickJava }

const child = spawn("bun", args, { stdio: "inherit", env })
child.on("close", (code) => process.exit(code ?? 1))
