using TrackMate.Bind;

namespace TrackMate.Store.Sqlite;

/// <summary>Carries an erasure through: step by step out of the tables, then out of the files.</summary>
/// <param name="path">The store's file.</param>
/// <param name="step">Runs a step in a transaction of the writer.</param>
internal sealed class Eraser(string path, Func<Func<ErasureWriter, ErasureState?>, Task<ErasureState?>> step)
{
    /// <summary>How long readers that hold the log back are waited for.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <returns>Where it stands once no row of the person is left; null where the company has no such profile.</returns>
    public async Task<ErasureState?> EraseRowsAsync(Company company, ProfileId id, ActBy by, bool suppress)
    {
        var state = await step(erasure => erasure.Begin(company, id, by, suppress));
        return state is null ? null : await EraseRowsAsync(state);
    }

    public async Task<ErasureState> EraseRowsAsync(ErasureState state)
    {
        while (!state.RowsGone)
        {
            var last = state;
            state = (await step(erasure => erasure.Continue(last)))!;
        }

        return state;
    }

    /// <summary>Takes the bytes out of the files as well.</summary>
    /// <returns>False where something held them back; it is gone on with at the next start of a server, and by the next erasure.</returns>
    public async Task<bool> CleanFilesAsync(ErasureState state, CancellationToken cancel)
    {
        if (!await Task.Run(() => new FileCleaner(path).Clean(Patience, cancel), cancel)) return false;
        await step(erasure =>
        {
            erasure.Close(state.Number);
            return null;
        });
        return true;
    }
}
