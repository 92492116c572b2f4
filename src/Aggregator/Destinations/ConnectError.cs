using System.Text.Json.Serialization;

namespace ActorProfiler.Aggregator.Destinations;

/// <summary>Body of a failed Connect call.</summary>
internal sealed record ConnectError(
    [property: JsonPropertyName("code")] string? Code,
    [property: JsonPropertyName("message")] string? Message);

[JsonSerializable(typeof(ConnectError))]
internal sealed partial class ConnectErrorJson : JsonSerializerContext;
