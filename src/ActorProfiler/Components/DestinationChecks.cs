using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Configuration.Syntax;
using ActorProfiler.Http;

namespace ActorProfiler.Commands.Components;

/// <summary>
/// What the destinations of a file need of the process that pushes to them: secrets and the files they are in. Only that process has them,
/// so a collector of the same fleet does not ask.
/// </summary>
internal static class DestinationChecks
{
    public static void Report(ComponentGraph graph, ComponentValues values, Diagnostics diagnostics)
    {
        foreach (var (state, write) in values.Of<WriteComponent>())
        {
            var blocks = state.Node.Block.Body.Statements.OfType<BlockStatement>().Where(block => block.Name == "endpoint").ToList();
            for (var i = 0; i < write.Endpoints.Length && i < blocks.Count; i++)
            {
                if (Find(write.Endpoints[i]) is { } problem)
                {
                    diagnostics.Error(graph.File, blocks[i].Header, problem);
                }
            }
        }
    }

    /// <summary>The first thing that is missing, or null.</summary>
    public static string? Find(PyroscopeWriteOptions endpoint) =>
        Empty(endpoint.Http) is { } argument ? $"{argument} is empty; if it comes from env(), that variable is not set"
        : endpoint.Http.Files().Select(file => Problem(file.Argument, file.Path)).FirstOrDefault(problem => problem is not null);

    private static string? Empty(HttpClientOptions http) =>
        http.BasicAuth is { Username.Length: 0 } ? "basic_auth username"
        : http.BasicAuth is { PasswordFile.Length: 0 } basic && IsEmpty(basic.Password) ? "basic_auth password"
        : http.Authorization is { CredentialsFile.Length: 0 } other && IsEmpty(other.Credentials) ? "authorization credentials"
        : http.BearerToken is { IsEmpty: true } ? "bearer_token"
        : http.OAuth2?.ClientSecret is { IsEmpty: true } ? "oauth2 client_secret"
        : null;

    private static bool IsEmpty(SecretValue? secret) => secret is null || secret.IsEmpty;

    private static string? Problem(string argument, string path)
    {
        try
        {
            var file = new FileInfo(path);
            return !file.Exists ? $"{argument} \"{path}\" does not exist"
                : file.Length == 0 || string.IsNullOrWhiteSpace(File.ReadAllText(path)) ? $"{argument} \"{path}\" is empty"
                : null;
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return $"{argument} \"{path}\" cannot be read: {cause.Message}";
        }
    }
}
