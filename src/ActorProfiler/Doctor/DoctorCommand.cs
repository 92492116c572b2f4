using System.CommandLine;

namespace ActorProfiler.Commands.Doctor;

/// <summary><c>actorprofiler doctor</c>: one line per thing this host must have, with the fix for each that is missing.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var command = new Command("doctor", "Say what this host lacks for profiling, and how to mend it.");
        command.SetAction(_ => Run(Console.Out));
        return command;
    }

    private static int Run(TextWriter output)
    {
        var findings = HostChecks.All.Select(check => check()).ToList();
        foreach (var finding in findings)
        {
            var mark = finding.Verdict switch { Verdict.Good => "ok  ", Verdict.Limited => "warn", _ => "FAIL" };
            output.WriteLine($"{mark}  {finding.Subject,-20} {finding.Seen}");
            if (finding.Fix.Length > 0)
            {
                output.WriteLine($"      {"",-20} -> {finding.Fix}");
            }
        }

        var isFit = findings.All(finding => finding.Verdict != Verdict.Missing);
        output.WriteLine(isFit ? "This host can be profiled." : "This host cannot be profiled yet.");
        return isFit ? ExitCode.Ok : ExitCode.Failure;
    }
}
