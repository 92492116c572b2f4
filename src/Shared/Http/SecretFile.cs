using ActorProfiler.Configuration.Evaluation;

namespace ActorProfiler.Http;

/// <summary>A secret that stands in the configuration or in a file of its own.</summary>
internal static class SecretFile
{
    /// <returns>Without the blanks around it; "" when neither is given.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static async ValueTask<string> ReadAsync(SecretValue? secret, string file, CancellationToken cancellation) =>
        secret is not null ? secret.Reveal()
        : file.Length == 0 ? ""
        : (await File.ReadAllTextAsync(file, cancellation).ConfigureAwait(false)).Trim();
}
