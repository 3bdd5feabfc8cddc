/**
 * Takes rules out of a copy of the code, one at a time, and asks whether simulation notices.
 *
 * The copy lies in a temporary folder; a patch that no longer applies is a failure, so that the list cannot go stale.
 */
import { spawn } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import type { Hunted } from "../run/Hunt.ts"
import { say } from "../run/Tell.ts"
import { type Mutant, mutants } from "./Mutants.ts"

const root = join(import.meta.dirname, "../../../..")
const copied = ["packages", "lakehouse", "package.json", "tsconfig.json"]

export interface MutantOptions {
  readonly seedsMax: number
  /** Stop a mutant after so many seeds noticed it. */
  readonly foundMax: number
  /** Only mutants whose names contain this. */
  readonly only: string | undefined
}

/** Whether the patch applied: each text is there exactly once. */
const patch = (folder: string, { also, file, find, replace }: Mutant): boolean => {
  const path = join(folder, file)
  let text = readFileSync(path, "utf8")
  for (const edit of [{ find, replace }, ...(also === undefined ? [] : [also])]) {
    if (text.split(edit.find).length !== 2) return false
    text = text.replace(edit.find, () => edit.replace)
  }
  writeFileSync(path, text)
  return true
}

const huntIn = (folder: string, mutant: Mutant, options: MutantOptions) =>
  Effect.callback<Hunted | string>((resume) => {
    const words = ["--hunt", mutant.hunter, "--seeds", `${options.seedsMax}`, "--found", `${options.foundMax}`]
    const child = spawn("bun", ["packages/sim/src/main.ts", ...words], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    let errors = ""
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()))
    child.on("close", () => {
      const line = output.split("\n").find((each) => each.startsWith("{"))
      // printed by `Hunt.ts`
      resume(
        Effect.succeed(line === undefined ? `it does not run: ${errors.slice(0, 300)}` : (JSON.parse(line) as Hunted))
      )
    })
  })

const tell = (mutant: Mutant, hunted: Hunted | string): boolean => {
  const title = `${mutant.rule.padEnd(8)} ${mutant.name.padEnd(58)}`
  if (typeof hunted === "string" || hunted.first === null) {
    say(`${title} NOT FOUND  ${typeof hunted === "string" ? hunted : `in ${hunted.seeds} seeds`}`)
    return false
  }
  say(
    `${title} seed ${String(hunted.first).padStart(4)}, ${hunted.found} of ${hunted.seeds}  ${hunted.what?.slice(0, 90)}`
  )
  return true
}

/** Whether every mutant was noticed. */
export const runMutants = Effect.fnUntraced(function* (options: MutantOptions) {
  const folder = mkdtempSync(join(tmpdir(), "frazil-mutants-"))
  let passed = true
  for (const each of copied) cpSync(join(root, each), join(folder, each), { recursive: true, verbatimSymlinks: true })
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
  for (const mutant of mutants) {
    if (options.only !== undefined && !mutant.name.includes(options.only)) continue
    const original = readFileSync(join(folder, mutant.file), "utf8")
    const hunted = patch(folder, mutant) ? yield* huntIn(folder, mutant, options) : "its patch does not apply"
    if (!tell(mutant, hunted)) passed = false
    writeFileSync(join(folder, mutant.file), original)
  }
  rmSync(folder, { recursive: true, force: true })
  return passed
})
