/** The one door to the schema library: everything that parses at an edge takes `z` from here. */
export * as z from "zod";
