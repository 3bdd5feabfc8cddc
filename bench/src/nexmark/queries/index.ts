/** Nexmark's queries by their names, in the suite's order, and two sequences. */
import type { Query } from "../Query.ts"
import { eager } from "./Eager.ts"
import { q0 } from "./Q0.ts"
import { q1 } from "./Q1.ts"
import { q11 } from "./Q11.ts"
import { q14 } from "./Q14.ts"
import { q18 } from "./Q18.ts"
import { q19 } from "./Q19.ts"
import { q2 } from "./Q2.ts"
import { q20 } from "./Q20.ts"
import { q21 } from "./Q21.ts"
import { q22 } from "./Q22.ts"
import { q3 } from "./Q3.ts"
import { q4 } from "./Q4.ts"
import { q5 } from "./Q5.ts"
import { q7 } from "./Q7.ts"
import { q8 } from "./Q8.ts"
import { q9 } from "./Q9.ts"
import { raised } from "./Raised.ts"

export const queries: ReadonlyArray<Query> = [
  q0,
  q1,
  q2,
  q3,
  q4,
  q5,
  q7,
  q8,
  q9,
  q11,
  q14,
  q18,
  q19,
  q20,
  q21,
  q22,
  raised,
  eager
]
