/**
 * How many cases a test of random ones tries: few enough that all tests are through in minutes, and
 * `FRAZIL_CASES=20 bun run test` tries twenty times as many, others each.
 */
export const casesOf = (count: number): number => Math.ceil(count * Number(process.env["FRAZIL_CASES"] ?? 1))
