import * as AdapterRegistryInMemory from "../../../src/layers/registry/AdapterRegistryInMemory.ts"
import { suite } from "../../services/AdapterRegistry.contract.ts"

suite("in memory", AdapterRegistryInMemory.layer)
