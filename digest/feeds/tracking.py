"""Know the names of the URL parameters that say where a click came from, and not which page it is.

Each name stands here in full: `pk_campaign` is Matomo's, and `pk_news` may be the number of an
article. Most are in AdGuard's list of parameters to be removed from every website's URLs
(AdguardTeam/AdguardFilters, TrackParamFilter/sections/general_url.txt); a name is added from there.
The others are what outlets' own feeds and statistics services are seen to add.
"""

from __future__ import annotations

_NAMES = """
    utm_ad utm_adgroup utm_affiliate utm_brand utm_campaign utm_campaignid utm_channel utm_cid
    utm_content utm_creative utm_creative_format utm_emcid utm_emmid utm_id utm_id_ utm_int
    utm_keyword utm_marketing_tactic utm_medium utm_name utm_newsletter utm_place utm_product
    utm_pubreferrer utm_reader utm_referrer utm_serial utm_session utm_siteid utm_social
    utm_social-type utm_source utm_source_platform utm_sq utm_supplier utm_swu utm_term utm_umguk
    utm_user utm_userid utm_viz_id
    _ga _gl ga_campaign ga_content ga_medium ga_source ga_term gad_campaignid gad_source gbraid
    gclid gclsrc dclid srsltid usqp wbraid
    action_object_map action_ref_map action_type_map fb_action_ids fb_action_types fb_ref fb_source
    fbclid igsh igshid mibextid
    msclkid ocid cvid
    __twitter_impression epik li_fat_id ref_src ref_url s_kwcid ttclid twclid
    _openstat yclid ysclid
    mtm_campaign mtm_cid mtm_content mtm_group mtm_keyword mtm_kwd mtm_medium mtm_placement
    mtm_source pk_campaign pk_cid pk_content pk_keyword pk_kwd pk_medium pk_source pk_vid
    piwik_campaign piwik_keyword piwik_kwd
    at_bbc_team at_campaign at_campaign_type at_content at_creation at_custom1 at_custom2
    at_custom3 at_custom4 at_format at_link_id at_link_origin at_link_type at_medium at_platform
    at_ptr_name at_recipient_id at_recipient_list at_send_date at_term at_variant xtor
    ns_campaign ns_fee ns_linkname ns_mchannel ns_source
    itm_campaign itm_content itm_medium itm_source itm_term
    stm_campaign stm_content stm_medium stm_source stm_term
    dpg_campaign dpg_content dpg_medium dpg_source
    __hsfp __hssc __hstc _hsenc _hsfp _hsmi hsa_acc hsa_ad hsa_cam hsa_grp hsa_kw hsa_la hsa_mt
    hsa_net hsa_ol hsa_src hsa_tgt hsa_ver hsctatracking
    _kx bsft_aaid bsft_clkid bsft_eid bsft_ek bsft_mid bsft_uid mc_cid mc_eid mkt_tok ml_subscriber
    ml_subscriber_hash oly_anon_id oly_enc_id rb_clickid vero_conv vero_id wickedid
    _branch_match_id _cldee _io_session_id __io_lv awc cm_cr cm_me cm_mmc cm_mmca1 cm_mmca2 cx_click
    cx_recsorder cx_recswidget echobox guccounter guce_referrer guce_referrer_sig irclickid irgwc
    nx_source s_cid sscid tduid wt.mc_id wt_mc
    campaign_id cid_source cmp cmp_id cmpid feature_source ftag ftcamp icid intcid ito ncid partner
    referringsource rss smid smprod smtyp spref sr_share sref taid traffic_source
    aspsessionid jsessionid phpsessid
"""
TRACKING_PARAMETERS = frozenset(_NAMES.split())


def is_tracking(name: str) -> bool:
    return name.lower() in TRACKING_PARAMETERS
