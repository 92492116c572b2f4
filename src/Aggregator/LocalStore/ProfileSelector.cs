using System.Collections.Immutable;
using ActorProfiler.Labels;

namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>Which series a query reads: those that satisfy every matcher. No matcher selects all.</summary>
internal sealed record ProfileSelector(ImmutableArray<LabelMatcher> Matchers)
{
    private const int TextLimit = 4096;

    public static readonly ProfileSelector All = new([]);

    public static ProfileSelector Service(string name) => new([LabelMatcher.Equal(LabelNames.ServiceName, name)]);

    public bool Accepts(LabelSet labels)
    {
        foreach (var matcher in Matchers)
        {
            if (!matcher.Accepts(labels[matcher.Name]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Parses <c>{name="value", other!="value", third=~"pattern", fourth!~"pattern"}</c>.</summary>
    /// <remarks>The selector of the Prometheus query language; in a value <c>\"</c>, <c>\\</c> and <c>\n</c> are escapes.</remarks>
    /// <exception cref="FormatException">The text has another form; the message says where.</exception>
    public static ProfileSelector Parse(string text)
    {
        if (text.Length > TextLimit)
        {
            throw new FormatException($"the selector has {text.Length} characters, more than {TextLimit}");
        }

        var reader = new SelectorReader(text);
        var matchers = ImmutableArray.CreateBuilder<LabelMatcher>();
        reader.Expect("{");
        while (!reader.TryTake("}"))
        {
            matchers.Add(reader.Matcher());
            if (!reader.TryTake(","))
            {
                reader.Expect("}");
                break;
            }
        }

        reader.ExpectEnd();
        return new ProfileSelector(matchers.ToImmutable());
    }
}
