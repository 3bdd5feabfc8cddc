/**
 * Takes rules out of a copy of the code, one at a time, and asks whether simulation notices.
 *
 * The copy lies in a temporary folder; a patch that no longer applies is a failure, so that the list cannot go stale.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import type { Hunted } from "../run/Hunt.ts"
import { isIn, runMain, type Share } from "../run/Processes.ts"
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
  /** A part of those: all of them take a quarter of an hour. */
  readonly share: Share
  /** So many at once, each in a copy of its own. */
  readonly processes: number
}

/** The files that a mutant changes, changed; undefined when a text is not there exactly once. */
const patched = (folder: string, { also, file, find, replace }: Mutant): ReadonlyMap<string, string> | undefined => {
  const texts = new Map<string, string>()
  for (const edit of [{ file, find, replace }, ...(also === undefined ? [] : [{ file, ...also }])]) {
    const path = join(folder, edit.file)
    const text = texts.get(path) ?? readFileSync(path, "utf8")
    if (text.split(edit.find).length !== 2) return undefined
    texts.set(
      path,
      text.replace(edit.find, () => edit.replace)
    )
  }
  return texts
}

const huntIn = Effect.fnUntraced(function* (folder: string, mutant: Mutant, options: MutantOptions) {
  const texts = patched(folder, mutant)
  if (texts === undefined) return "its patch does not apply"
  const originals = [...texts.keys()].map((path) => [path, readFileSync(path, "utf8")] as const)
  for (const [path, text] of texts) writeFileSync(path, text)
  const words = ["--hunt", mutant.hunter, "--seeds", `${options.seedsMax}`, "--found", `${options.foundMax}`]
  let hunted: Hunted | undefined
  const wrong = yield* runMain<Hunted>(words, (told) => (hunted = told), folder)
  for (const [path, text] of originals) writeFileSync(path, text)
  return hunted ?? wrong ?? "it said nothing"
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

const makeCopy = () => {
  const folder = mkdtempSync(join(tmpdir(), "frazil-mutants-"))
  for (const each of copied) cpSync(join(root, each), join(folder, each), { recursive: true, verbatimSymlinks: true })
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
  return folder
}

/** Whether every mutant was noticed. */
export const runMutants = Effect.fnUntraced(function* (options: MutantOptions) {
  const { only, processes, share } = options
  const wanted = mutants.filter(({ name }, i) => isIn(share, i) && (only === undefined || name.includes(only)))
  const folders = Array.from({ length: processes }, makeCopy)
  const free = [...folders]
  const noticed = yield* Effect.forEach(
    wanted,
    (mutant) =>
      Effect.suspend(() => {
        const folder = free.pop()! // as many as there are at once
        return Effect.map(huntIn(folder, mutant, options), (hunted) => {
          free.push(folder)
          return tell(mutant, hunted)
        })
      }),
    { concurrency: processes }
  )
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  return noticed.every((each) => each)
})
