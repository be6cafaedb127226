using System.Data.Common;
using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Erase;

/// <summary>Runs erasures: removes the rows from the tables step by step, and then the bytes from the files. One instance per store and process, so that no erasure runs twice at a time.</summary>
/// <param name="step">Runs a step in a writer's transaction with <see cref="LockMode.Rewrite"/>.</param>
internal sealed class Eraser(Engine engine, Func<Company, Func<ErasureWriter, ErasureState?>, Task<ErasureState?>> step)
{
    private readonly Lock gate = new();
    private readonly HashSet<long> underWay = [];
    private Task cleaning = Task.CompletedTask;
    private Task<bool>? following;

    /// <summary>Starts an erasure and removes the person's rows. The caller must then call <see cref="CleanFilesAsync"/>.</summary>
    /// <returns>The state after all rows of the person are gone; null if the company has no such profile.</returns>
    /// <exception cref="ErasureUnfinishedException">The erasure has begun, and the store failed before all rows were gone.</exception>
    public async Task<ErasureState?> EraseRowsAsync(Company company, ProfileId id, ActBy by, bool suppress)
    {
        // Another server may have numbered rejections that it has not committed yet. An empty step with the exclusive lock waits for these. Later rejections get greater numbers.
        if (engine.IsShared) await step(company, _ => null);
        var seen = Look(company, id);
        ErasureState? begun = null;
        try
        {
            // Marked as running before the commit, so that every process that sees the erasure also sees that it is being worked on.
            await step(company, erasure =>
            {
                begun = erasure.Begin(company, id, by, suppress, seen: seen);
                if (begun is not null) TryHold(begun);
                return begun;
            });
        }
        catch
        {
            if (begun is not null) Release(begun);
            throw;
        }

        if (begun is null) return null;
        try
        {
            return await EraseRowsAsync(begun);
        }
        catch (Exception e)
        {
            Release(begun);
            if (e is StoreUnavailableException or DbException) throw new ErasureUnfinishedException(begun.Erased, e);
            throw;
        }
    }

    /// <summary>Removes the bytes from the files as well.</summary>
    /// <returns>False if something prevented it. A running server tries again, and so does the next erasure by the command line.</returns>
    public async Task<bool> CleanFilesAsync(ErasureState state, CancellationToken cancel)
    {
        try
        {
            return await CleanAndCloseAsync([state], cancel);
        }
        finally
        {
            Release(state);
        }
    }

    /// <summary>Removes the rows of an unfinished erasure.</summary>
    /// <returns>Null if another thread is working on it.</returns>
    public async Task<ErasureState?> ResumeRowsAsync(ErasureState state)
    {
        if (!TryHold(state)) return null;
        try
        {
            return await EraseRowsAsync(state);
        }
        finally
        {
            Release(state);
        }
    }

    /// <summary>Removes the bytes of several unfinished erasures, whose rows are gone, from the files in one pass.</summary>
    /// <returns>False as with <see cref="CleanFilesAsync"/>.</returns>
    public async Task<bool> ResumeFilesAsync(IEnumerable<ErasureState> states, CancellationToken cancel)
    {
        var held = states.Where(TryHold).ToList();
        try
        {
            return held.Count == 0 || await CleanAndCloseAsync(held, cancel);
        }
        finally
        {
            held.ForEach(Release);
        }
    }

    private async Task<bool> CleanAndCloseAsync(IReadOnlyCollection<ErasureState> states, CancellationToken cancel)
    {
        if (!await CleanAsync(cancel)) return false;
        foreach (var state in states)
        {
            await step(state.Company, erasure =>
            {
                erasure.Close(state.Number);
                return null;
            });
        }

        return true;
    }

    private async Task<ErasureState> EraseRowsAsync(ErasureState state)
    {
        while (!state.RowsGone)
        {
            var last = state;
            state = (await step(last.Company, erasure => erasure.Continue(last)))!;
        }

        return state;
    }

    private SeenTraces? Look(Company company, ProfileId id)
    {
        using var reader = engine.OpenReader();
        reader.BeginRead();
        return new ErasureWriter(reader).Look(company, id);
    }

    /// <summary>Runs one cleaning at a time. A caller that arrives during a cleaning waits for the next one, since the current one may have passed the caller's bytes already. All waiting callers share the next one.</summary>
    private Task<bool> CleanAsync(CancellationToken cancel)
    {
        lock (gate) return following ??= FollowAsync(cleaning, cancel);
    }

    private async Task<bool> FollowAsync(Task before, CancellationToken cancel)
    {
        await Task.Yield();
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (gate)
        {
            cleaning = following!;
            following = null;
        }

        return await Task.Run(() => engine.Clean(cancel), cancel);
    }

    private bool TryHold(ErasureState state)
    {
        lock (gate) return underWay.Add(state.Number);
    }

    private void Release(ErasureState state)
    {
        lock (gate) underWay.Remove(state.Number);
    }
}

/// <summary>The person is hidden, and not all of their rows are removed yet. The erasure is resumed later.</summary>
/// <param name="erased">What the erasure deletes in all.</param>
internal sealed class ErasureUnfinishedException(Erased erased, Exception cause) : Exception("The person is hidden from now on, and some of their rows are not removed yet.", cause)
{
    public Erased Erased { get; } = erased;
}
