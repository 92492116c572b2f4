using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Commands.Configuration;

/// <summary>Loads a configuration for a command and says what is wrong with it.</summary>
internal static class ConfigurationFile
{
    /// <summary>Null after errors, which are written to <paramref name="output"/> as warnings are.</summary>
    /// <param name="path">Null for the configuration that is part of the program.</param>
    /// <param name="pushes">The secrets of the destinations must be on this host.</param>
    public static LoadedConfiguration? Load(string? path, bool pushes, TextWriter output)
    {
        if (Read(path, output) is not { } file)
        {
            return null;
        }

        var diagnostics = new Diagnostics();
        var loaded = LoadedConfiguration.Load(file, ComponentValues.None, pushes, diagnostics);
        Write(diagnostics.All, output);
        return loaded;
    }

    /// <summary>Null, with a line on <paramref name="output"/>, when the file cannot be read.</summary>
    public static SourceFile? Read(string? path, TextWriter output)
    {
        try
        {
            return LoadedConfiguration.Read(path);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or FormatException)
        {
            output.WriteLine($"actorprofiler: read the configuration: {cause.Message}");
            return null;
        }
    }

    public static void Write(IReadOnlyList<Diagnostic> diagnostics, TextWriter output)
    {
        foreach (var diagnostic in diagnostics)
        {
            output.WriteLine(diagnostic.Render());
            output.WriteLine();
        }
    }
}
