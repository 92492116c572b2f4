using System.Diagnostics;

namespace ActorProfiler.Tests;

/// <summary>Compiles and runs the programs of tests/testprograms.</summary>
internal static class TestPrograms
{
    /// <summary>Compiles a C program once per set of flags. Returns its path.</summary>
    public static string CompileC(string name, params string[] flags) => Compile("gcc", name, ".c", flags);

    /// <summary>Compiles a C program with musl as its C library. Returns its path.</summary>
    public static string CompileWithMusl(string name, params string[] flags)
    {
        Requirements.Tool("musl-gcc", "musl-tools");
        return Compile("musl-gcc", name, ".c", flags);
    }

    /// <summary>Compiles a C++ program. Returns its path.</summary>
    public static string CompileCpp(string name, params string[] flags) => Compile("g++", name, ".cpp", flags);

    /// <summary>Compiles a Go program: a file of that name, or a folder with several. Returns its path.</summary>
    public static string CompileGo(string name, params string[] flags)
    {
        Requirements.Tool("go", "golang-go");
        var output = Path.Combine(Directory.CreateTempSubdirectory("actorprofiler-").FullName, name);
        var isFolder = Directory.Exists(Source(name));
        var start = new ProcessStartInfo("go", ["build", .. flags, "-o", output, isFolder ? "." : Source($"{name}.go")])
        {
            WorkingDirectory = isFolder ? Source(name) : Path.GetDirectoryName(output),
        };
        (start.Environment["GO111MODULE"], start.Environment["GOCACHE"]) = ("off", Path.Combine(Path.GetTempPath(), "actorprofiler-go-cache"));
        using var go = Process.Start(start)!;
        go.WaitForExit();
        Assert.Equal(0, go.ExitCode);
        return output;
    }

    private static string Compile(string compiler, string name, string ending, string[] flags)
    {
        Requirements.Tool(compiler, compiler);
        var output = Path.Combine(Directory.CreateTempSubdirectory("actorprofiler-").FullName, name);
        using var running = Process.Start(compiler, [.. flags, "-o", output, Source(name + ending)]);
        running.WaitForExit();
        Assert.Equal(0, running.ExitCode);
        return output;
    }

    /// <summary>Path of a file in tests/testprograms.</summary>
    public static string Source(string name) => Path.Combine(AppContext.BaseDirectory, "testprograms", name);

    /// <summary>Starts a program; disposing ends it.</summary>
    public static RunningProgram Start(string path, params string[] arguments) =>
        new(Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true })!);

    /// <summary>Starts SplitDotNet, which is built with the tests; disposing ends it.</summary>
    public static RunningProgram StartDotNet(string seconds)
    {
        var dotnet = Environment.ProcessPath is { } host && host.EndsWith("dotnet", StringComparison.Ordinal) ? host : "dotnet";
        return Start(dotnet, Path.Combine(AppContext.BaseDirectory, "SplitDotNet.dll"), seconds);
    }

    internal sealed class RunningProgram(Process process) : IDisposable
    {
        public int Pid => process.Id;

        public Process Process => process;

        /// <summary>CPU time it has taken so far.</summary>
        public TimeSpan CpuTime
        {
            get
            {
                process.Refresh();
                return process.TotalProcessorTime;
            }
        }

        /// <summary>SIGSTOP: it takes no more CPU time.</summary>
        public void Pause()
        {
            using var kill = System.Diagnostics.Process.Start("kill", ["-STOP", $"{process.Id}"]);
            kill.WaitForExit();
            Assert.Equal(0, kill.ExitCode);
        }

        public void Dispose()
        {
            if (!process.HasExited)
            {
                process.Kill();
            }

            process.WaitForExit();
            process.Dispose();
        }
    }
}
