/**
 * Regular expressions in time linear in the text: what `matches` runs, whatever pattern a rule's author writes.
 *
 * `PatternSyntax.ts` reads the pattern (a subset that RE2, Java and JavaScript understand alike); here it becomes a
 * nondeterministic machine, and its states sets made on demand. **Bounds**: instructions and kept states; a text costs at
 * most one step per character, and a step at most the instructions.
 */
import { Result } from "effect"
import type { BytesTest } from "./Access.ts"
import { parsePattern, type CharacterSet, type PatternNode } from "./PatternSyntax.ts"

export interface TextPattern {
  readonly source: string
  /** Whether the pattern occurs in the text. */
  readonly test: (text: string) => boolean
  /** The same of a text that stands as UTF-8 in `bytes`. */
  readonly testBytes: BytesTest
}

/** Characters, sets and repetitions, after `{n,m}` is written out. */
const patternInstructionsMax = 1_000
/** Sets of instructions remembered; beyond, all are forgotten and made anew. */
const statesMax = 500

type Instruction =
  | { readonly op: "character"; readonly set: CharacterSet; next: number }
  | { readonly op: "split"; next: number; other: number }
  | { readonly op: "start" | "end"; next: number }
  | { readonly op: "match" }

/** Reads a pattern; fails with what is wrong, and where in it. */
export const makeTextPattern = (
  source: string
): Result.Result<TextPattern, { readonly at: number; readonly message: string }> =>
  Result.flatMap(parsePattern(source), (node) => {
    const program: Array<Instruction> = []
    if (!emit(node, program)) {
      return Result.fail({
        at: 0,
        message: `the pattern is too large: at most ${patternInstructionsMax} characters and repetitions`
      })
    }
    program.push({ op: "match" })
    return Result.succeed(Object.freeze({ source, ...matcher(program) }))
  })

/** Appends the node's instructions; they continue at what is appended next. False when there are too many. */
const emit = (node: PatternNode, program: Array<Instruction>): boolean => {
  if (program.length > patternInstructionsMax) return false
  const here = program.length
  switch (node._tag) {
    case "Empty":
      return true
    case "Character":
      program.push({ op: "character", set: node.set, next: here + 1 })
      return true
    case "Start":
    case "End":
      program.push({ op: node._tag === "Start" ? "start" : "end", next: here + 1 })
      return true
    case "Sequence":
      return node.parts.every((part) => emit(part, program))
    case "Choice":
      return emitChoice(node.options, program)
    case "Repeat": {
      for (let count = 0; count < node.min; count++) if (!emit(node.part, program)) return false
      if (node.max === undefined) return emitStar(node.part, program)
      for (let count = node.min; count < node.max; count++) {
        const split: Instruction = { op: "split", next: program.length + 1, other: 0 }
        program.push(split)
        if (!emit(node.part, program)) return false
        split.other = program.length
      }
      return true
    }
  }
}

const emitStar = (part: PatternNode, program: Array<Instruction>): boolean => {
  const here = program.length
  const split: Instruction = { op: "split", next: here + 1, other: 0 }
  program.push(split)
  if (!emit(part, program)) return false
  program.push({ op: "split", next: here, other: here })
  split.other = program.length
  return true
}

const emitChoice = (options: ReadonlyArray<PatternNode>, program: Array<Instruction>): boolean => {
  const exits: Array<Instruction & { op: "split" }> = []
  for (const [index, option] of options.entries()) {
    const last = index === options.length - 1
    const split: Instruction = { op: "split", next: program.length + 1, other: 0 }
    if (!last) program.push(split)
    if (!emit(option, program)) return false
    if (!last) {
      const exit: Instruction & { op: "split" } = { op: "split", next: 0, other: 0 }
      program.push(exit)
      exits.push(exit)
      split.other = program.length
    }
  }
  for (const exit of exits) exit.next = exit.other = program.length
  return program.length <= patternInstructionsMax
}

/** A set of instructions that wait for a character, and where each kind of character leads. */
interface State {
  readonly waiting: ReadonlyArray<number>
  readonly matched: boolean
  /** Matched if the text ends here. */
  readonly matchedAtEnd: boolean
  readonly next: Array<State | undefined>
}

const matcher = (program: ReadonlyArray<Instruction>): Pick<TextPattern, "test" | "testBytes"> => {
  const kinds = characterKinds(program)
  let states = new Map<string, State>()

  const close = (from: ReadonlyArray<number>, atStart: boolean, atEnd: boolean) => {
    const seen = new Set<number>()
    const open = [...from]
    let matched = false
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (seen.has(at)) continue
      seen.add(at)
      const instruction = program[at]!
      if (instruction.op === "split") open.push(instruction.next, instruction.other)
      else if ((instruction.op === "start" && atStart) || (instruction.op === "end" && atEnd))
        open.push(instruction.next)
      else if (instruction.op === "match") matched = true
    }
    return { seen, matched }
  }
  const stateOf = (from: ReadonlyArray<number>, atStart: boolean): State => {
    const { seen, matched } = close(from, atStart, false)
    const waiting = [...seen].filter((at) => program[at]!.op === "character").sort((a, b) => a - b)
    const matchedAtEnd = matched || close(from, atStart, true).matched
    const key = `${waiting.join()}${matched ? "m" : matchedAtEnd ? "e" : ""}`
    const known = states.get(key)
    if (known !== undefined) return known
    if (states.size >= statesMax) states = new Map()
    const state: State = { waiting, matched, matchedAtEnd, next: Array.from({ length: kinds.count }, () => undefined) }
    states.set(key, state)
    return state
  }
  const step = (state: State, kind: number): State => {
    // a match may begin at every character: the program's first instruction is always among the next
    const from = [0]
    for (const at of state.waiting) {
      const instruction = program[at]!
      if (instruction.op === "character" && holds(instruction.set, kinds.example[kind]!)) from.push(instruction.next)
    }
    return (state.next[kind] = stateOf(from, false))
  }
  const first = stateOf([0], true)
  const test = (text: string): boolean => {
    let state = first
    for (let at = 0; at < text.length; at++) {
      if (state.matched) return true
      let code = text.charCodeAt(at)
      if (code >= 0xd800 && code < 0xdc00) {
        code = text.codePointAt(at)!
        if (code > 0xffff) at++
      }
      const kind = kinds.of(code)
      state = state.next[kind] ?? step(state, kind)
    }
    return state.matchedAtEnd
  }
  const testBytes = (bytes: Uint8Array, start: number, end: number): boolean => {
    let state = first
    for (let at = start; at < end;) {
      if (state.matched) return true
      const byte = bytes[at]!
      const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
      const kind = kinds.of(length === 1 ? byte : codePoint(bytes, at, length))
      state = state.next[kind] ?? step(state, kind)
      at += length
    }
    return state.matchedAtEnd
  }
  return { test, testBytes }
}

/** The code point of a valid UTF-8 sequence of two to four bytes. */
const codePoint = (bytes: Uint8Array, at: number, length: number): number => {
  let code = bytes[at]! & (0x7f >> length)
  for (let next = 1; next < length; next++) code = (code << 6) | (bytes[at + next]! & 0x3f)
  return code
}

const holds = (set: CharacterSet, code: number): boolean => {
  for (let at = 0; at < set.length; at += 2) if (code >= set[at]! && code <= set[at + 1]!) return true
  return false
}

/** Characters that no set of the program tells apart are one kind. */
const characterKinds = (program: ReadonlyArray<Instruction>) => {
  const bounds = new Set([0])
  for (const instruction of program) {
    if (instruction.op !== "character") continue
    for (let at = 0; at < instruction.set.length; at += 2) {
      bounds.add(instruction.set[at]!)
      bounds.add(instruction.set[at + 1]! + 1)
    }
  }
  const example = [...bounds].sort((a, b) => a - b)
  const search = (code: number) => {
    let low = 0
    let high = example.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (example[middle]! <= code) low = middle
      else high = middle - 1
    }
    return low
  }
  const ascii = Uint16Array.from({ length: 128 }, (_, code) => search(code))
  return { count: example.length, example, of: (code: number) => (code < 128 ? ascii[code]! : search(code)) }
}
