/**
 * Card transactions (system S2): so far the border that every transaction crosses.
 *
 * What does not decode goes to the dead letter with its reason; the rest is there for the landing, as it came.
 */
import { Flow, Job } from "@frazil/engine"
import { RawTransactions } from "@frazil/model"

export const transactions = Job.make("transactions", [Flow.from(RawTransactions).pipe(Flow.validate)])
