/**
 * Numeric nodes → JavaScript text: a number, NaN for no value; decimals unscaled, a bigint beyond 2^53 − 1.
 *
 * Part of `Compile.ts`. Times are microseconds inside computations; two plain times are compared as the milliseconds they
 * are stored in. Overflow checks are left out where `Magnitude.ts` proves that they cannot fail.
 */
import { Timestamp } from "../Timestamp.ts"
import { civilParts } from "./CivilTime.ts"
import type { Emitter } from "./Compile.ts"
import {
  addDecimals,
  decimalToDouble,
  decimalToInt,
  divideDoubles,
  divideInts,
  finite,
  int,
  multiplyDecimals,
  parseDouble,
  parseInt,
  subtractDecimals,
  textSize,
  time
} from "./Kernel.ts"
import { alwaysSafe, staysInRange } from "./Magnitude.ts"
import type { Arithmetic, Convert, NumberNode, TimePartNode } from "./Tree.ts"
import { zoneOffset } from "./Zone.ts"

export const numberCode = (emit: Emitter, node: NumberNode): string => {
  switch (node._tag) {
    case "NumberConstant":
      return constantCode(node.value)
    case "NumberField":
      if (node.type._tag === "Decimal") return emit.access.unscaled(node.name)
      if (node.type._tag === "Timestamp") return `Math.round(${emit.access.number(node.name)} * 1000)`
      return emit.access.number(node.name)
    case "Arithmetic":
      return arithmeticCode(emit, node)
    case "Convert":
      return convertCode(emit, node)
    case "Negate":
      return `(-${emit.number(node.operand)})`
    case "ParseNumber":
      return `${emit.use(node.type._tag === "Int" ? parseInt : parseDouble)}(${emit.text(node.text)})`
    case "TextSize":
      return `${emit.use(textSize)}(${emit.text(node.text)})`
    case "TimePart":
      return timePartCode(emit, node)
    case "DurationPart":
      return `Math.trunc(${emit.number(node.duration)} / ${node.unitMicros})`
    case "NumberIf":
      return `(${emit.isTrue(node.condition)} ? ${emit.number(node.then)} : ${emit.number(node.otherwise)})`
  }
}

export const constantCode = (value: number | bigint): string => {
  const text = typeof value === "bigint" ? `${value}n` : String(value)
  return value < 0 ? `(${text})` : text
}

/** A time as it is stored, if it needs no computation: epoch milliseconds with a fraction. */
export const storedTimeCode = (emit: Emitter, node: NumberNode): string | undefined => {
  if (node._tag === "NumberField" && node.type._tag === "Timestamp") return emit.access.number(node.name)
  if (node._tag === "NumberConstant" && node.type._tag === "Timestamp") {
    return constantCode(Timestamp.fromMicros(Number(node.value)))
  }
  return undefined
}

const arithmeticCode = (emit: Emitter, node: Arithmetic): string => {
  const left = emit.number(node.left)
  const right = emit.number(node.right)
  const plain = `(${left} ${node.op} ${right})`
  const call = (helper: unknown) => `${emit.use(helper)}(${left}, ${right})`
  switch (node.type._tag) {
    case "Int":
      // a remainder by 0 is NaN already
      if (node.op === "%") return plain
      if (node.op === "/") return call(divideInts)
      return alwaysSafe(node) ? plain : `${emit.use(int)}${plain}`
    case "Double":
      if (node.op === "/") return call(divideDoubles)
      return staysInRange(node) ? plain : `${emit.use(finite)}${plain}`
    case "Decimal":
      // operands that were safe before may be bigints: only three safe nodes make a plain operation
      if (alwaysSafe(node) && alwaysSafe(node.left) && alwaysSafe(node.right)) return plain
      return call(node.op === "+" ? addDecimals : node.op === "-" ? subtractDecimals : multiplyDecimals)
    case "Timestamp":
      return `${emit.use(time)}${plain}`
    case "Duration":
      return node.left.type._tag === "Timestamp" ? plain : `${emit.use(int)}${plain}`
    case "Date":
      return plain
  }
}

const convertCode = (emit: Emitter, node: Convert): string => {
  const operand = emit.number(node.operand)
  const from = node.operand.type
  switch (node.type._tag) {
    case "Decimal": {
      const digits = node.type.scale - (from._tag === "Decimal" ? from.scale : 0)
      if (digits === 0) return operand
      if (alwaysSafe(node)) return `(${operand} * ${10 ** digits})`
      return `${emit.use(multiplyDecimals)}(${operand}, ${powerOfTen(digits)})`
    }
    case "Double":
      return from._tag === "Decimal" ? `${emit.use(decimalToDouble)}(${operand}, ${from.scale})` : operand
    default:
      if (from._tag === "Decimal") return `${emit.use(decimalToInt)}(${operand}, ${from.scale})`
      if (from._tag === "Timestamp") return `Math.floor(${operand} / 1000000)`
      return `${emit.use(int)}(Math.trunc(${operand}))`
  }
}

/** 10^digits as code; exact in both forms. */
export const powerOfTen = (digits: number): string =>
  digits <= 15 ? String(10 ** digits) : `${10n ** BigInt(digits)}n`

const timePartCode = (emit: Emitter, node: TimePartNode): string => {
  const part = emit.use(civilParts[node.part])
  const ms = storedTimeCode(emit, node.time) ?? `(${emit.number(node.time)} / 1000)`
  if (node.zone === "UTC") return `${part}(${ms})`
  const offset = zoneOffset(node.zone)
  const local = (utc: number) => utc + offset(utc)
  return `${part}(${emit.use(local)}(${ms}))`
}
