using System.Text.Json.Serialization;
using ActorProfiler.Aggregator.LocalStore;

namespace ActorProfiler.Aggregator.Page;

/// <summary>Answer of <c>/api/v1/services</c>.</summary>
/// <param name="MaxAgeSeconds">How far back the store goes at most.</param>
internal sealed record ServicesAnswer(IReadOnlyList<ServiceShare> Services, ProfileStoreState Store, double MaxAgeSeconds);

/// <summary>Answer of <c>/api/v1/series</c>: the labels of each series.</summary>
internal sealed record SeriesAnswer(IReadOnlyList<IReadOnlyDictionary<string, string>> Series);

/// <summary>Answer to a request that cannot be answered.</summary>
/// <param name="Error">What was wrong with it.</param>
internal sealed record ErrorAnswer(string Error);

/// <summary>What a single-file flame graph carries.</summary>
internal sealed record DocumentData(string Title, FlameGraph Graph, IReadOnlyList<DocumentFact> Facts);

internal sealed record DocumentFact(string Key, string Value);

/// <summary>Forms of the page's JSON; its default encoder escapes <c>&lt;</c>, so that it can stand in a script element.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ServicesAnswer))]
[JsonSerializable(typeof(SeriesAnswer))]
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(DocumentData))]
internal sealed partial class PageJson : JsonSerializerContext;
