using System.CommandLine;
using ActorProfiler.Commands;
using ActorProfiler.Commands.Audit;
using ActorProfiler.Commands.Doctor;
using ActorProfiler.Commands.Explain;
using ActorProfiler.Commands.Format;
using ActorProfiler.Commands.Record;
using ActorProfiler.Commands.Run;
using ActorProfiler.Commands.Tls;
using ActorProfiler.Commands.Validate;

var root = new RootCommand("Continuous CPU profiling for a fleet: eBPF collectors, a clustered aggregator tier, Pyroscope destinations.")
{
    RunCommand.Create(),
    RecordCommand.Create(),
    DoctorCommand.Create(),
    AuditCommand.Create(),
    TlsCommand.Create(),
    ValidateCommand.Create(),
    FormatCommand.Create(),
    ExplainCommand.Create(),
};
var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors)
    {
        Console.Error.WriteLine($"actorprofiler: {string.Join(' ', error.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))} (see 'actorprofiler {parsed.CommandResult.Command.Name} --help')");
    }

    return ExitCode.Usage;
}

// A stop hands the last samples on: longer than the two seconds a command has otherwise.
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(45) });
