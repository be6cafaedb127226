using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Store;

namespace TrackMate.Show;

/// <summary>A page of one company, which its address names. It reads from one snapshot of the store, and releases it before rendering.</summary>
[Authorize]
public abstract class CompanyPage : ComponentBase
{
    [Parameter]
    public string CompanyId { get; set; } = "";

    [CascadingParameter]
    public HttpContext Http { get; set; } = null!;

    [Inject]
    private protected Registry Registry { get; set; } = null!;

    [Inject]
    private protected MessageStore Store { get; set; } = null!;

    [Inject]
    private protected TimeProvider Now { get; set; } = null!;

    private protected Company Company { get; private set; } = null!;

    private protected Clock Clock { get; private set; } = null!;

    protected sealed override void OnInitialized()
    {
        Company = Registry.Find(CompanyId) ?? throw new RejectionException(Reason.NotFound, "No company has this id.");
        Clock = Clock.Of(Http, Now);
        using var snapshot = Store.Read(Company);
        Load(new(snapshot.Database, Company));
    }

    /// <summary>Reads everything that the page shows.</summary>
    private protected abstract void Load(Documents documents);
}
