namespace TrackMate.Store.Rebuild;

/// <summary>What is derived for a changed setting, in this order; the names are stored.</summary>
internal enum RebuildPart
{
    /// <summary>Rows of an earlier change that was changed again.</summary>
    ClearLedger,
    WriteLedger,

    /// <summary>Runs of server events are cut where the new gap is shorter.</summary>
    SplitRuns,

    /// <summary>What was derived is in force from here on.</summary>
    Switch,

    /// <summary>Runs are joined where the new gap is longer.</summary>
    MergeRuns,

    /// <summary>Rows of the ledger that was read before.</summary>
    TidyLedger,
    Claims,
    Persons,
}

/// <summary>How far a part has come: a key of the table that it goes along, and how many events, days or pairs lie before it.</summary>
internal readonly record struct RebuildPlace(long First, long Second, long Third, long Done)
{
    public static readonly RebuildPlace Beginning = new(long.MinValue, long.MinValue, long.MinValue, 0);

    public static RebuildPlace Parse(string text) => text.Split(' ') is [var first, var second, var third, var done]
        ? new(long.Parse(first), long.Parse(second), long.Parse(third), long.Parse(done))
        : throw new FormatException($"'{text}' is no place in a rebuild.");

    public override string ToString() => $"{First} {Second} {Third} {Done}";
}
