import { Argument } from "effect/cli"

export const nameArgument = Argument.String("name").pipe(Argument.withDescription("What the tenant is called"))
