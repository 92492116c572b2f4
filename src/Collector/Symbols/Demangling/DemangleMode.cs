namespace ActorProfiler.Collector.Symbols.Demangling;

/// <summary>How much of a mangled C++ or Rust name is shown.</summary>
internal enum DemangleMode
{
    /// <summary>The name as in the symbol table.</summary>
    None,

    /// <summary>Without parameters and template arguments: <c>std::vector::push_back</c>.</summary>
    Simplified,

    /// <summary>Without parameters: <c>std::vector&lt;int&gt;::push_back</c>.</summary>
    Templates,

    /// <summary>Everything but marks of compiler-made copies: <c>std::vector&lt;int&gt;::push_back(int const&amp;)</c>.</summary>
    Full,
}
