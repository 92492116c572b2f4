namespace ActorProfiler.Commands;

/// <summary>What the program says to the shell.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>Something of the world failed: rights, a file, the network.</summary>
    public const int Failure = 1;

    /// <summary>The command line or the configuration is wrong.</summary>
    public const int Usage = 2;
}
