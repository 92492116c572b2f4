using ActorProfiler.Oracles;

// Prints what the collector makes of files, to be compared with other tools; tests hold small cases of the same.
return args switch
{
    ["frames", .. var files] when files.Length > 0 => FrameOracle.Run(files),
    ["names", var file, var addresses] => NameOracle.Run(file, addresses, withLines: false),
    ["symbolizer", .. var files] when files.Length > 0 => SymbolizerOracle.Run(files),
    ["filter", .. var files] when files.Length > 0 => FilterOracle.Run(files),
    ["lines", var file, var addresses] => NameOracle.Run(file, addresses, withLines: true),
    ["demangle", var mode, var symbols] => DemangleOracle.Run(mode, symbols),
    ["processes", .. var pids] => ProcessOracle.Run(pids),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("""
        usage: oracles frames FILE...                compares unwind rules with readelf --debug-dump=frames-interp
               oracles symbolizer FILE...            compares names of addresses with llvm-symbolizer
               oracles filter FILE...                compares demangled symbols with c++filt
               oracles names FILE ADDRESSES          function of each hexadecimal address in the list; "-" reads standard input
               oracles lines FILE ADDRESSES          the same with files, lines and inlined calls
               oracles demangle MODE SYMBOLS         each symbol of the list in mode simplified, templates or full
               oracles processes [PID...]            what it takes to know these processes, or all
        """);
    return 2;
}
