namespace ActorProfiler.Configuration.Evaluation;

/// <summary>The names an expression can use: its own first, then those of the scope around it.</summary>
public sealed class Scope(IReadOnlyDictionary<string, Value> values, Scope? outer = null)
{
    public IEnumerable<string> Names => values.Keys.Concat(outer?.Names ?? []);

    public Value? Find(string name) => values.TryGetValue(name, out var value) ? value : outer?.Find(name);
}
